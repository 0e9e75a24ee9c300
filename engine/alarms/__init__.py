"""What goes wrong in a training, with the reason, the numbers behind it and ways out."""
