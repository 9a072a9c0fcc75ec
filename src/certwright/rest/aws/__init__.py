"""Who we are towards AWS: signed requests, and the credentials that they are signed with."""
