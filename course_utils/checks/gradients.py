"""Checks of exercises on losses and gradients."""
