"""A scene at a scene frame, as one set of splats."""
