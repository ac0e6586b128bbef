"""Checks of exercises on saving and resuming."""
