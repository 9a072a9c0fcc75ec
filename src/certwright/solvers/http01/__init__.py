"""HTTP-01: the shared responder, the objects that route to it, and the look whether the answer is visible."""
