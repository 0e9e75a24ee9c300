"""One file = one thing to make."""
