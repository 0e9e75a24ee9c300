"""One file = one architecture and its Config."""
