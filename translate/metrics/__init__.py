"""Scores of what a method makes, and what they are computed of."""
