"""Checks of exercises: not attempted, wrong and what to look at, right and why it matters."""
