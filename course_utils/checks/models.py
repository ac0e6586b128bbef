"""Checks of exercises on parameters, modules and shapes."""
