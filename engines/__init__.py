"""What computes a trained network: PyTorch as it is, or a faster engine that agrees with it."""
