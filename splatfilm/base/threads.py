"""torch's own threads, kept out of the way of ours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def one_torch_thread() -> Iterator[None]:
    """Within it torch works on one thread; imports torch when it is entered.

    The kernels have threads of their own. torch's are for arrays ten times larger: on a busy machine its barriers made
    a training step five times slower, and with one thread no sum depends on how many there are.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
