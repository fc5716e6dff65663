// What the stage does to the colours of splats: light that falls on a member of the cast, and light that is taken away.
// All of it is the same bits at any thread count and on any processor.
#pragma once
#include <cstdint>

#include "kernels.h"

namespace splatfilm {

void light(const LightTask&);

// Colours of splats, times gains and as bright as shares of their light leave them.
struct PaintTask {
  const float* sh;      // [count, basis, 3]
  const float* gains;   // [count, 3] of each channel; null: ones
  const float* kept;    // [count] shares of the light; null: ones
  const float* before;  // [count] the shares that `out` holds already: rows of which they are the same stay; null: ones
  bool fresh;           // `out` holds nothing of use
  int64_t count;
  int basis;
  float* out;  // [count, basis, 3]
};

void paint(const PaintTask&);

}  // namespace splatfilm
