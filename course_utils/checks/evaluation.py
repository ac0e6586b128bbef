"""Checks of exercises on evaluation."""
