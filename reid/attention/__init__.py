"""Where the views of a vehicle are in an image, learned from viewpoint labels (SPAN, 3.1)."""
