"""What a hand can do on the canvas: one file a tool, and the box that holds them."""
