// What the stage does to the colours of splats: light that falls on a member of the cast, and light that is taken away.
// All of it is the same bits at any thread count and on any processor.
#pragma once
#include <cstdint>

namespace splatfilm {

// Light as second-order spherical harmonics at two heights; what falls on a splat between them is blended.
struct LightTask {
  const float *means, *quats, *normals;  // [count, 3] metres, [count, 4], [count, 3] in the splats' own axes
  const float *colours, *light;          // [count, 3] display-referred from nowhere in particular, and linear
  const float* sh;                       // [count, basis, 3]
  int64_t count;
  int basis;
  float below[9][3], above[9][3];  // over pi
  float low, high;                 // metres: where they hold
  float strength, gain, most;      // `most` that a display-referred colour is multiplied by
  float* out;                      // [count, basis, 3]
};

void light(const LightTask&);

// Rows of `sh` [*, basis, 3] as a share of their light leaves them, into the same rows of `out`.
void darken(const float* sh, int basis, const int64_t* rows, const float* kept, int64_t count, float* out);

}  // namespace splatfilm
