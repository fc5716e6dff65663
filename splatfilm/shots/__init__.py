"""A shot list to files: takes, manifests, the cut."""
