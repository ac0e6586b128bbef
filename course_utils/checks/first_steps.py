"""Checks of exercises on first steps."""
