"""What the registry costs, measured as ratios within one run: absolute times mean little on shared machines."""
