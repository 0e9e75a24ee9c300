"""Finding the passages of the person's own files that a question is about."""
