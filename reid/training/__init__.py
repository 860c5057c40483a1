"""Training a recipe into a run folder."""
