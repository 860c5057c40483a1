"""Whether two images show the same, learned from pairs or identities of cached features."""
