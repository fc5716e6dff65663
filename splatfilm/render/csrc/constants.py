"""Writes `constants.h` from `splatfilm/render/constants.py`, so that each number is named in one place only.

Run by CMake: `python constants.py <constants.py> <constants.h>`.
"""

import math
import runpy
import sys
from pathlib import Path

HEADER = """// Generated from splatfilm/render/constants.py.
#pragma once
namespace splatfilm {{
constexpr float kBlur = {BLUR!r}f;
constexpr float kMaxAlpha = {MAX_ALPHA!r}f;
constexpr float kMinAlpha = {MIN_ALPHA!r}f;
constexpr float kLog2MinAlpha = {log2_min_alpha!r}f;
constexpr float kFrontAlpha = {FRONT_ALPHA!r}f;
constexpr float kMinTransmittance = {MIN_TRANSMITTANCE!r}f;
constexpr float kColourOffset = {COLOUR_OFFSET!r}f;
constexpr float kShC0 = {SH_C0!r}f;
constexpr float kRootHalfLog2E = {root_half_log2_e!r}f;
constexpr float kMinDepthWeight = {MIN_DEPTH_WEIGHT!r}f;
constexpr float kSsimC1 = {SSIM_C1!r}f;
constexpr float kSsimC2 = {SSIM_C2!r}f;
constexpr float kSsimWindow[{SSIM_SIZE}] = {{{window}}};
static_assert({TILE} == 16, "the kernels' tiles are sixteen 4 x 4 blocks");
static_assert({SSIM_SIZE} == 11, "the kernels' SSIM window has 11 taps");
}}  // namespace splatfilm
"""


def header(constants: dict[str, float]) -> str:
    """The text of `constants.h`."""
    size, sigma = int(constants["SSIM_SIZE"]), constants["SSIM_SIGMA"]
    taps = [math.exp(-((i - size // 2) ** 2) / (2 * sigma**2)) for i in range(size)]
    derived = {
        "log2_min_alpha": math.log2(constants["MIN_ALPHA"]),
        "root_half_log2_e": math.sqrt(0.5 * math.log2(math.e)),
        "window": ", ".join(f"{tap / sum(taps)!r}f" for tap in taps),
    }
    return HEADER.format(**constants, **derived)


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(header(runpy.run_path(sys.argv[1])), encoding="utf-8")
