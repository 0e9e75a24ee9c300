"""Stable Diffusion in one file, as it first came: what it is, and the same model as a folder.

What a file is, the names and shapes of its tensors decide, never its own name. The settings of
each part follow from the shapes and from what was published for its family, so that nothing is
looked for on a network.
"""
