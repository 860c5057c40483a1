"""Whether anything but the vehicle tells who it is: what is left of an image without it."""
