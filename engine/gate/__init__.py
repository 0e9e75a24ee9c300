"""The one gate through which files from outside are read: pictures, weights, model folders.

What a file is, its content decides, never its name. Everything here is checked before a library
sees the file, and nothing here imports torch.
"""
