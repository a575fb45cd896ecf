"""Weights of other programs: read without running anything of theirs, and written for them."""
