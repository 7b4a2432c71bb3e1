"""Widgets that more than one screen shows, and the marks they draw with."""
