"""Measurements of srcad against hand-written loops and other AD tools."""
