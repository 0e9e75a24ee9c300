"""One file = one kind of dataset."""
