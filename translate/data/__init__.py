"""Samples on their way from a disk, or a drawing program, to the networks."""
