"""What becomes of certmanager.k8s.io (2018) objects: statuses, events, modern twins, the story of ACME orders."""
