"""The studio: the window over the engine. It never imports torch."""
