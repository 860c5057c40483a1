"""The labelling page, on NiceGUI."""
