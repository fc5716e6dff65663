"""A scene at a scene frame, as one set of splats.

Importing this does not import torch; asking a `Stage` for splats does.
"""

from splatfilm.stage.placement import CONTACT_VERSION, LIGHT_VERSION, POSING_VERSION, Placed, Placements, light_value
from splatfilm.stage.rigs.binding import BINDING_VERSION
from splatfilm.stage.stage import Span, Stage, Staged

__all__ = [
    "BINDING_VERSION",
    "CONTACT_VERSION",
    "LIGHT_VERSION",
    "POSING_VERSION",
    "Placed",
    "Placements",
    "Span",
    "Stage",
    "Staged",
    "light_value",
]
