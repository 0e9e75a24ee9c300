"""The document of Create: layers of sparse tiles, a selection, and the view they are painted in."""
