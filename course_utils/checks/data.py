"""Checks of exercises on data and columns."""
