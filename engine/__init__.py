"""The engine: everything that makes or learns. It runs without a window (`python -m engine`)."""
