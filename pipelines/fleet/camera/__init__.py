"""Cameras: what they see of a vehicle, and the photograph they take of it."""
