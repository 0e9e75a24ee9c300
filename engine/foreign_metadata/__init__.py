"""What other programs write into their pictures, one file a program."""
