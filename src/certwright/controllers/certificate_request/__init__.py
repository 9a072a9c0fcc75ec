"""One CertificateRequest's way to its answer: approved, then signed, refused or left waiting."""
