"""Certwright issues X.509 certificates for Kubernetes workloads and keeps them renewed."""
