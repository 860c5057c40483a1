"""Light and weather: what they do to vehicles and to streets."""
