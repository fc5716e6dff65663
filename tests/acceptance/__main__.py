"""Run every promise in order and print one line for each; exit status 1 when one is broken.

`python -m tests.acceptance [WORD ...]` runs only the promises whose sentence contains one of the words.
"""

from __future__ import annotations

import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.acceptance import (
    cast,
    compare,
    continuity,
    first_film,
    lens,
    own_captures,
    performed,
    refine,
    refiner,
    renderer,
    studio,
    truth,
)
from tests.acceptance.promise import Ground, Promise

PROMISES: tuple[Promise, ...] = (
    *first_film.PROMISES,
    *own_captures.PROMISES,
    *renderer.PROMISES,
    *lens.PROMISES,
    *cast.PROMISES,
    *truth.PROMISES,
    *performed.PROMISES,
    *refine.PROMISES,
    *continuity.PROMISES,
    *studio.PROMISES,
    *compare.PROMISES,
    *refiner.PROMISES,
)


def main(words: list[str]) -> int:
    """The number of broken promises, at most 1."""
    chosen = [p for p in PROMISES if not words or any(word in p.sentence for word in words)]
    broken = 0
    with tempfile.TemporaryDirectory(prefix="splatfilm-accept-") as folder:
        ground = Ground(Path(folder))
        for promise in chosen:
            started = time.monotonic()
            try:
                verdict, figures = "kept  ", promise.keep(ground)
            except Exception as error:  # every promise is reported, whatever happened to the one before
                broken += 1
                verdict, figures = "BROKEN", f"{type(error).__name__}: {error}"
                traceback.print_exc()
            print(f"{verdict} {time.monotonic() - started:7.1f} s  {promise.sentence}: {figures}", flush=True)
    print(f"{len(chosen) - broken} kept, {broken} broken")
    return min(broken, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
