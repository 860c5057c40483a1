"""The tables of EIA-Net (Seeing Crucial Parts), trained and tested anew."""
