"""Lets nerfstudio 1.1.5 be imported with a CPU build of torch.

torchvision's only wheel for such a torch registers its C++ operators with a CUDA library that is not there, and then
fails on importing. Declaring the two that it looks up at import time is enough: nothing in these tests calls them.
"""

import torch

LIBRARY = torch.library.Library("torchvision", "DEF")  # registrations live as long as this object
for _name in ("nms", "qnms"):
    LIBRARY.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
