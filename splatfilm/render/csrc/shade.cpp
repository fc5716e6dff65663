#include "shade.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels.h"
#include "pool.h"
#include "rasteriser.h"

namespace splatfilm {
namespace {

// Splats that one task takes: to wake others for less costs more. Results do not depend on it.
constexpr int64_t kRun = 32768;
constexpr int64_t kAlike = 64;  // splats that are held against their shares before at one time
constexpr float kBand0 = 0.28209479177387814f;
constexpr float kMiddle = 0.5f / kBand0;  // colour = SH + 0.5, and all of it is multiplied

// colour = SH + 0.5, and all of it is multiplied.
void times(const float* sh, int basis, const float (&factor)[3], float* out) {
  constexpr int kWide = 12;  // floats, a whole number of colours and of registers
  float wide[kWide];
  for (int i = 0; i < kWide; ++i) wide[i] = factor[i % 3];
  const int count = 3 * basis;
  int k = 0;
  for (; k + kWide <= count; k += kWide)
    for (int i = 0; i < kWide; ++i) out[k + i] = sh[k + i] * wide[i];
  for (; k < count; ++k) out[k] = sh[k] * factor[k % 3];
  for (int c = 0; c < 3; ++c) out[c] += (factor[c] - 1) * kMiddle;
}

}  // namespace

void light(const LightTask& task) {
  const Kernels& k = kernels();
  parallel((task.count + kRun - 1) / kRun,
           [&](int64_t run) { k.light_gains(task, run * kRun, std::min(task.count, (run + 1) * kRun)); });
}

void paint(const PaintTask& task) {
  const int width = 3 * task.basis;
  parallel((task.count + kRun - 1) / kRun, [&](int64_t run) {
    const int64_t end = std::min(task.count, (run + 1) * kRun);
    for (int64_t i = run * kRun; i < end; ++i) {
      // Most of a set is out of reach of everybody, and stays.
      if (!task.fresh && task.kept && task.before)
        while (i + kAlike <= end && !std::memcmp(task.kept + i, task.before + i, kAlike * sizeof(float))) i += kAlike;
      if (i == end) break;
      const float kept = task.kept ? task.kept[i] : 1.0f;
      if (!task.fresh && kept == (task.before ? task.before[i] : 1.0f)) continue;
      const float* sh = task.sh + i * width;
      float* out = task.out + i * width;
      if (!task.gains && kept == 1) {
        std::copy_n(sh, width, out);
        continue;
      }
      float factor[3];
      const float root = std::sqrt(kept);
      for (int c = 0; c < 3; ++c) factor[c] = task.gains ? task.gains[3 * i + c] * root : root;
      times(sh, task.basis, factor, out);
    }
  });
}

}  // namespace splatfilm
