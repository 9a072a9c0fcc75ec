"""Answers of admission: AdmissionReview in, answer out, by the rules that the controllers follow too."""
