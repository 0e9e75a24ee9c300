"""Docks that watch the whole studio."""
