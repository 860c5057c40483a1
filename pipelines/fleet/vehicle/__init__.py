"""Vehicles: bodies, what is drawn on them, and their owners' marks."""
