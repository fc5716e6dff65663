"""Rigs: skeletons and blendshapes, the proxy mesh that carries them, and the binding of splats to it."""

from splatfilm.stage.rigs.skeleton import Joint, Pose, Skeleton, rest_pose, world_transforms

__all__ = ["Joint", "Pose", "Skeleton", "rest_pose", "world_transforms"]
