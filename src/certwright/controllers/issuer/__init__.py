"""Issuers and ClusterIssuers of both groups: checked by their type, reported in their own group's words."""
