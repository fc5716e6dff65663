"""Continuity measured: baselines made elsewhere, metrics with their ceilings and nulls, and the report."""
