"""One file = one activity."""
