"""One script a claim. `python -m benchmarks` runs them all; each also runs by itself (`python -m benchmarks.film`)."""
