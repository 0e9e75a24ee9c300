"""Four ways to draw, each given the same minutes on the same data: which one learns most?"""
