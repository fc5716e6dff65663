// Noise that belongs to places instead of pixels: `splatfilm/refine/noise.py` says what is computed and why.
#pragma once
#include <cstdint>

namespace splatfilm {

struct NoiseTask {
  const float* places;      // [H, W, 3] where each pixel's surface is, in the rest space of what it belongs to
  const float* footprints;  // [H, W] width of a pixel there, in the same unit
  const int64_t* seeds;     // [H, W] of that space
  int width, height;
  int sub;                // samples along a side of a pixel, and
  int cell;               // pixels along a side of a noise cell; one of them is 1
  double voxels;          // a footprint times this is the size of its voxel in base units
  double rotation[9], offset[3];  // into the voxels' frame, in base units
  const int32_t* table;   // [65536] normal deviates, fixed point
  double table_one;       // what 1 is in the table
  int channels;
  float* out;             // [ceil(H / cell), ceil(W / cell), channels]
};

void anchored_noise(const NoiseTask&);

}  // namespace splatfilm
