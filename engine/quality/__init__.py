"""How good are drawn images? Distances to held-out real ones, in a feature space with a name."""
