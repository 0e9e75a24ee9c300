"""A training run as a program of plain PyTorch that repeats it: "Copy as Python"."""
