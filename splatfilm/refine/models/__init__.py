"""Big diffusion models as refiners: from a folder or a hub, given the scene's own noise, depth and normals.

They are an option beside the scene refiner, never its replacement: whatever they make goes through the same bound on
the change, the same colour lock and the same guards. Nothing here imports torch until a model is opened.
"""

from splatfilm.refine.models.catalogue import CATALOGUE, KnownModel, known_model
from splatfilm.refine.models.source import ModelSource

__all__ = ["CATALOGUE", "KnownModel", "ModelSource", "known_model"]
