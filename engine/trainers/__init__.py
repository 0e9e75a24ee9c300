"""One file = one way to learn."""
