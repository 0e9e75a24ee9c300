"""The gallery: an index over every picture ever made, its marks, its search, its thumbnails.

The files are the truth. The index (SQLite) only says quickly what they say, and is made again from
them when it is missing or broken; stars, tags and notes are kept beside it, in a file of their own.
Nothing here knows Qt or torch.
"""
