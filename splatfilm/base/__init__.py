"""The ground that every room stands on: errors, safe files, content hashes, progress, rigid-motion maths.

Owns nothing that knows about films, cameras or splats; imports no other room and never torch.
"""
