"""Galleries on a page and behind an interface for programs."""
