"""What a request does to objects: read, create, update, patch, apply, delete."""
