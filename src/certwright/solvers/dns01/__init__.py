"""DNS-01: the record's name and zone, CNAMEs, the providers that write it, and the look whether it is visible."""
