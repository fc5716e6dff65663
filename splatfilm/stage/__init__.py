"""A scene at a scene frame, as one set of splats.

Importing this does not import torch; asking a `Stage` for splats does.
"""

from splatfilm.stage.placement import Placed, Placements
from splatfilm.stage.stage import Span, Stage, Staged

__all__ = ["Placed", "Placements", "Span", "Stage", "Staged"]
