"""The command ``partreid``. Commands import their work when called, so that help is instant."""
