"""From labels to a part detector, and from the detector to cached part boxes."""
