"""What the project has promised, run for real: fresh clones, fresh environments, kills, whole films. `make accept`."""
