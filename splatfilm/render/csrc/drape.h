// How a mesh's triangles are stretched in their planes by the bones that carry their corners.
#pragma once
#include <cstdint>

namespace splatfilm {

struct DrapeTask {
  const float* corners;      // [vertices, 3] where bones have carried them
  const int64_t* triangles;  // [triangle_count, 3]
  const float* rest;         // [triangle_count, 3] a, b, c of the inverse [a b; 0 c] of the triangle's edges at rest
  const int64_t* triangle;   // [count] that each splat hangs on
  int64_t triangle_count, count;
  float most;  // that a splat is stretched, or its inverse
  float* out;  // [count, 6] symmetric xx xy xz yy yz zz in the axes of the scene; identities where nothing is stretched
};

void drape(const DrapeTask&);

}  // namespace splatfilm
