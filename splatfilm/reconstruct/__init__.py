"""Captures to splats."""
