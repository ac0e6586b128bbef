"""Checks of exercises on the training loop."""
