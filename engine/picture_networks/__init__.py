"""Networks that make pictures of pictures, and how a picture goes through them tile by tile."""
