"""Searching galleries of vehicles, and showing what was found."""
