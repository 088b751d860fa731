"""Colours, fonts, styles and shapes."""
