#include "drape.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace splatfilm {
namespace {

constexpr float kEven = 1e-3f;  // a stretch that differs from 1 by less is none

// V of F = V R for F between a triangle's plane at rest and now, put into the scene's axes: nothing is stretched across.
void stretch(const float* a, const float* b, const float* c, const float* rest, float most, float* out) {
  const float identity[6] = {1, 0, 0, 1, 0, 1};
  std::copy(identity, identity + 6, out);
  float e[3], f[3], t[3], u[3], n[3];
  for (int k = 0; k < 3; ++k) e[k] = b[k] - a[k], f[k] = c[k] - a[k];
  const float length = std::sqrt(e[0] * e[0] + e[1] * e[1] + e[2] * e[2]);
  for (int k = 0; k < 3; ++k) n[k] = e[(k + 1) % 3] * f[(k + 2) % 3] - e[(k + 2) % 3] * f[(k + 1) % 3];
  const float area = std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
  if (!(length > 0 && area > 0 && rest[0] > 0 && rest[2] > 0)) return;
  for (int k = 0; k < 3; ++k) t[k] = e[k] / length, n[k] /= area;
  for (int k = 0; k < 3; ++k) u[k] = n[(k + 1) % 3] * t[(k + 2) % 3] - n[(k + 2) % 3] * t[(k + 1) % 3];
  const float along = f[0] * t[0] + f[1] * t[1] + f[2] * t[2], across = area / length;
  const float p = length * rest[0], q = length * rest[1] + along * rest[2], r = across * rest[2];  // F = [p q; 0 r]
  // The root of F F^T in closed form, as its mean and how far its factors lie from that.
  const float root = p * r, sum = p * p + q * q + r * r, even = 1 / std::sqrt(sum + 2 * root);
  const float xx = (p * p + q * q + root) * even, xy = q * r * even, yy = (r * r + root) * even;
  const float mean = 0.5f * (xx + yy), half = 0.5f * (xx - yy), far = std::sqrt(half * half + xy * xy);
  if (!(std::fabs(mean + far - 1) > kEven || std::fabs(mean - far - 1) > kEven)) return;
  const float high = std::max(1 / most, std::min(most, mean + far)), low = std::max(1 / most, std::min(most, mean - far));
  const float middle = 0.5f * (high + low), scale = far > 0 ? 0.5f * (high - low) / far : 0;
  const float vxx = middle + scale * half - 1, vxy = scale * xy, vyy = middle - scale * half - 1;
  for (int i = 0, m = 0; i < 3; ++i)
    for (int j = i; j < 3; ++j) out[m++] += vxx * t[i] * t[j] + vxy * (t[i] * u[j] + u[i] * t[j]) + vyy * u[i] * u[j];
}

}  // namespace

void drape(const DrapeTask& task) {
  std::vector<float> found(size_t(6 * task.triangle_count));
  for (int64_t i = 0; i < task.triangle_count; ++i) {
    const int64_t* held = task.triangles + 3 * i;
    stretch(task.corners + 3 * held[0], task.corners + 3 * held[1], task.corners + 3 * held[2], task.rest + 3 * i, task.most,
            found.data() + 6 * i);
  }
  for (int64_t i = 0; i < task.count; ++i) std::copy_n(found.data() + 6 * task.triangle[i], 6, task.out + 6 * i);
}

}  // namespace splatfilm
