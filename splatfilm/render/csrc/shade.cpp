#include "shade.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels.h"
#include "pool.h"
#include "rasteriser.h"

namespace splatfilm {
namespace {

constexpr int64_t kRun = 2048;  // splats that one task takes; results do not depend on it
constexpr float kBand0 = 0.28209479177387814f;
constexpr float kMiddle = 0.5f / kBand0;  // colour = SH + 0.5, and all of it is multiplied

// R. Ramamoorthi, P. Hanrahan, "An efficient representation for irradiance environment maps", SIGGRAPH 2001.
void harmonics(float x, float y, float z, float (&b)[9]) {
  b[0] = 0.282095f;
  b[1] = 0.488603f * y;
  b[2] = 0.488603f * z;
  b[3] = 0.488603f * x;
  b[4] = 1.092548f * x * y;
  b[5] = 1.092548f * y * z;
  b[6] = 0.315392f * (3 * z * z - 1);
  b[7] = 1.092548f * x * z;
  b[8] = 0.546274f * (x * x - y * y);
}

// v + 2 u x (u x v + w v).
void turned(const float* q, const float* v, float (&out)[3]) {
  const float tx = q[2] * v[2] - q[3] * v[1] + q[0] * v[0];
  const float ty = q[3] * v[0] - q[1] * v[2] + q[0] * v[1];
  const float tz = q[1] * v[1] - q[2] * v[0] + q[0] * v[2];
  out[0] = v[0] + 2 * (q[2] * tz - q[3] * ty);
  out[1] = v[1] + 2 * (q[3] * tx - q[1] * tz);
  out[2] = v[2] + 2 * (q[1] * ty - q[2] * tx);
}

void times(const float* sh, int basis, const float (&factor)[3], float* out) {
  for (int c = 0; c < 3; ++c) out[c] = sh[c] * factor[c] + (factor[c] - 1) * kMiddle;
  for (int k = 1; k < basis; ++k)
    for (int c = 0; c < 3; ++c) out[3 * k + c] = sh[3 * k + c] * factor[c];
}

}  // namespace

void light(const LightTask& task) {
  parallel((task.count + kRun - 1) / kRun, [&](int64_t run) {
    const int64_t begin = run * kRun, end = std::min(task.count, begin + kRun);
    std::vector<float> falls(size_t(3 * (end - begin)));
    for (int64_t i = begin; i < end; ++i) {
      float n[3], b[9];
      turned(task.quats + 4 * i, task.normals + 3 * i, n);
      harmonics(n[0], n[1], n[2], b);
      const float up = std::max(0.0f, std::min(1.0f, (task.means[3 * i + 2] - task.low) / (task.high - task.low)));
      for (int c = 0; c < 3; ++c) {
        float below = 0, above = 0;
        for (int k = 0; k < 9; ++k) {
          below += b[k] * task.below[k][c];
          above += b[k] * task.above[k][c];
        }
        const float fallen = std::max(0.0f, below * (1 - up) + above * up);
        const float gain = (1 + task.strength * (fallen - 1)) * task.gain;
        falls[size_t(3 * (i - begin) + c)] = std::max(0.0f, task.light[3 * i + c] * gain);
      }
    }
    kernels().to_display(falls.data(), 1.0f, 3 * (end - begin));
    for (int64_t i = begin; i < end; ++i) {
      float factor[3];
      for (int c = 0; c < 3; ++c)
        factor[c] = std::min(task.most, falls[size_t(3 * (i - begin) + c)] / task.colours[3 * i + c]);
      times(task.sh + i * 3 * task.basis, task.basis, factor, task.out + i * 3 * task.basis);
    }
  });
}

void darken(const float* sh, int basis, const int64_t* rows, const float* kept, int64_t count, float* out) {
  parallel((count + kRun - 1) / kRun, [&](int64_t run) {
    for (int64_t i = run * kRun; i < std::min(count, (run + 1) * kRun); ++i) {
      const float root = std::sqrt(kept[i]), factor[3] = {root, root, root};
      times(sh + rows[i] * 3 * basis, basis, factor, out + rows[i] * 3 * basis);
    }
  });
}

}  // namespace splatfilm
