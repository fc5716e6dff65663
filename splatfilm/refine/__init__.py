"""Refinement that cannot break continuity: noise anchored to the scene, small refiners, baking, and their guards."""
