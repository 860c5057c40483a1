"""The fleet: a generator of vehicles, cameras and every truth about them."""
