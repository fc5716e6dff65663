// Where splats are on a lattice, and which way they face.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "lattice.h"

namespace splatfilm {

// A splat's shortest axis: a column of its rotation.
inline void normal_of(const SplatArrays& splats, int64_t row, float (&n)[3]) {
  const float *q = splats.quats + 4 * row, *s = splats.scales + 3 * row;
  const int shortest = s[2] <= std::min(s[0], s[1]) ? 2 : int(s[1] < s[0]), next = shortest == 2 ? 0 : shortest + 1;
  const int after = 3 - shortest - next;
  const float w = q[0], *v = q + 1, two = 2 / std::max(w * w + v[0] * v[0] + v[1] * v[1] + v[2] * v[2], 1e-30f);
  n[shortest] = 1 - two * (v[next] * v[next] + v[after] * v[after]);
  n[next] = two * (v[shortest] * v[next] + w * v[after]);
  n[after] = two * (v[shortest] * v[after] - w * v[next]);
}

inline Spot spot_at(const SplatArrays& splats, int64_t row, double cell) { return spot_of(splats.means + 3 * row, 1 / cell); }

// The axis that a normal is nearest to.
inline int facing_of(const float (&n)[3]) {
  const float x = std::fabs(n[0]), y = std::fabs(n[1]), z = std::fabs(n[2]);
  return x > y ? (x > z ? 0 : 2) : (y > z ? 1 : 2);
}

// Of some splats the one nearest to their middle.
template <typename Some>
int64_t in_the_middle(const SplatArrays& splats, const Some* some, size_t count) {
  double middle[3] = {0, 0, 0}, nearest = 1e300;
  for (size_t i = 0; i < count; ++i)
    for (int k = 0; k < 3; ++k) middle[k] += splats.means[3 * some[i].row + k];
  int64_t best = some[0].row;
  for (size_t i = 0; i < count; ++i) {
    double far = 0;
    for (int k = 0; k < 3; ++k) {
      const double away = splats.means[3 * some[i].row + k] - middle[k] / double(count);
      far += away * away;
    }
    if (far < nearest) nearest = far, best = some[i].row;
  }
  return best;
}

}  // namespace splatfilm
