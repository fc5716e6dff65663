#include "blocks.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "pool.h"
#include "sort.h"

namespace splatfilm {
namespace {

constexpr int64_t kRun = 1 << 15;     // splats that one task gives their place on the curve
constexpr int64_t kSamples = 1 << 12;  // splats that say where most of a scene is
constexpr int kAxisBits = 10;
constexpr double kBlurRoot = 0.5478;  // of the blur's variance of 0.3 px^2, rounded up
constexpr double kRounding = 1e-5;    // of float32 coordinates and of what is made of them, with room
constexpr float kEndless = std::numeric_limits<float>::infinity();

struct Range {
  float low, per_cell;
};

// Along one axis, where most of the splats are: a few far away must not make all cells too large.
Range range_of(const Scene& scene, int axis) {
  std::vector<float> found;
  const int64_t step = std::max<int64_t>(1, scene.count / kSamples);
  for (int64_t i = 0; i < scene.count; i += step)
    if (const float x = scene.means[3 * i + axis]; std::isfinite(x)) found.push_back(x);
  if (found.empty()) return {0.0f, 0.0f};
  std::sort(found.begin(), found.end());
  const double low = found[found.size() / 100], high = found[found.size() - 1 - found.size() / 100];
  const double size = std::max(high - low, 1e-6), margin = size / 4;
  return {float(low - margin), float(double(1 << kAxisBits) / (size + 2 * margin))};
}

uint32_t cell_of(float x, const Range& range) {
  const float cell = (x - range.low) * range.per_cell;
  return cell > 0.0f ? uint32_t(std::min(cell, float((1 << kAxisBits) - 1))) : 0u;  // not a number: the first
}

// Puts two zeros behind each of ten bits.
uint32_t spread(uint32_t x) {
  x = (x | x << 16) & 0x030000ffu;
  x = (x | x << 8) & 0x0300f00fu;
  x = (x | x << 4) & 0x030c30c3u;
  return (x | x << 2) & 0x09249249u;
}

// How far a splat reaches, and in how many standard deviations; false when it is never drawn.
bool reach_of(const Scene& scene, int64_t id, float& sigmas, float& reach) {
  const float *mean = scene.means + 3 * id, *quat = scene.quats + 4 * id, *scale = scene.scales + 3 * id;
  const float opacity = scene.opacities[id];
  for (int k = 0; k < 3; ++k)
    if (!std::isfinite(mean[k])) return false;
  if (!(opacity >= float(1.0 / 255.0) * 0.999f) || !std::isfinite(opacity)) return false;
  sigmas = std::sqrt(2.0f * 0.69315f * (std::log2(opacity) + 7.9944f + 0.03f));
  double norm = 0.0, stretch = 1.0;
  for (int k = 0; k < 4; ++k) norm += double(quat[k]) * quat[k];
  if (scene.stretches) {
    const int64_t row = scene.rows ? scene.rows[id] : id;
    static const double times[6] = {1, 2, 2, 1, 2, 1};
    double squares = 0.0;
    for (int k = 0; k < 6; ++k) squares += times[k] * scene.stretches[6 * row + k] * scene.stretches[6 * row + k];
    stretch = std::sqrt(squares);
  }
  const double size = std::max({std::fabs(scale[0]), std::fabs(scale[1]), std::fabs(scale[2])});
  // Squares outside of float32 leave the kernels' unit quaternion without its length.
  const bool plain = norm > 1e-30 && norm < 1e30 && std::isfinite(stretch) && std::isfinite(size);
  reach = plain ? float(1.001 * sigmas * size * stretch) : kEndless;
  return true;
}

Block bounds_of(const Scene& scene, int64_t begin, int64_t end) {
  Block b = {{kEndless, kEndless, kEndless}, {-kEndless, -kEndless, -kEndless}, 0.0f, 0.0f};
  for (int64_t i = begin; i < end; ++i) {
    float sigmas, reach;
    if (!reach_of(scene, i, sigmas, reach)) continue;
    for (int k = 0; k < 3; ++k) {
      b.low[k] = std::min(b.low[k], scene.means[3 * i + k]);
      b.high[k] = std::max(b.high[k], scene.means[3 * i + k]);
    }
    b.sigmas = std::max(b.sigmas, sigmas);
    b.reach = std::max(b.reach, reach);
  }
  return b;
}

void copy_shapes(const Scene& scene, Blocks& out, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    const int64_t row = out.rows[i];
    std::memcpy(&out.means[3 * i], scene.means + 3 * row, 12);
    std::memcpy(&out.quats[4 * i], scene.quats + 4 * row, 16);
    std::memcpy(&out.scales[3 * i], scene.scales + 3 * row, 12);
    out.opacities[i] = scene.opacities[row];
  }
}

// The greatest value over the block of n . (R (x - position)) for a direction n in camera axes.
double farthest_along(const double (&n)[3], const View& view, const double (&offset)[3], const double (&half)[3]) {
  double value = 0.0;
  for (int k = 0; k < 3; ++k) {
    const double along = n[0] * view.rotation[k] + n[1] * view.rotation[3 + k] + n[2] * view.rotation[6 + k];
    value += along * offset[k] + std::fabs(along) * half[k];
  }
  return value;
}

}  // namespace

void make_blocks(const Scene& scene, Blocks& out) {
  const Range ranges[3] = {range_of(scene, 0), range_of(scene, 1), range_of(scene, 2)};
  Sorting sorting;
  sorting.make_room(scene.count);
  parallel((scene.count + kRun - 1) / kRun, [&](int64_t run) {
    for (int64_t i = run * kRun, end = std::min(scene.count, i + kRun); i < end; ++i) {
      uint32_t key = 0;
      for (int k = 0; k < 3; ++k) key |= spread(cell_of(scene.means[3 * i + k], ranges[k])) << k;
      sorting.keys[i] = key;
      sorting.order[i] = int32_t(i);
    }
  });
  sort_keys(sorting, scene.count, 3 * kAxisBits);
  out.rows.swap(sorting.order);
  out.count = scene.count;
  out.means.ensure(3 * scene.count);
  out.quats.ensure(4 * scene.count);
  out.scales.ensure(3 * scene.count);
  out.opacities.ensure(scene.count);
  out.blocks.resize(size_t((scene.count + kBlock - 1) / kBlock));
  const Scene ordered = scene_in_blocks(scene, out);
  parallel(int64_t(out.blocks.size()), [&](int64_t block) {
    const int64_t begin = block * kBlock, end = std::min(scene.count, begin + kBlock);
    copy_shapes(scene, out, begin, end);
    out.blocks[size_t(block)] = bounds_of(ordered, begin, end);
  });
}

Scene scene_in_blocks(const Scene& scene, const Blocks& blocks) {
  Scene ordered = scene;
  ordered.means = blocks.means.data();
  ordered.quats = blocks.quats.data();
  ordered.scales = blocks.scales.data();
  ordered.opacities = blocks.opacities.data();
  ordered.rows = blocks.rows.data();
  ordered.count = blocks.count;
  return ordered;
}

// In camera axes t, a splat of reach r lies left of the picture when t.x + aside r <= limit t.z, which is linear: over a
// box of centres it is greatest at a corner. What is behind the camera has no record, whatever the line says of it.
bool hidden(const Block& b, const View& view, const Sight& sight) {
  if (!(b.low[0] <= b.high[0])) return true;  // no splat that is ever drawn
  double offset[3], half[3], size = 0.0;
  for (int k = 0; k < 3; ++k) {
    offset[k] = 0.5 * (double(b.low[k]) + b.high[k]) - view.position[k];
    half[k] = 0.5 * (double(b.high[k]) - b.low[k]);
    size += std::fabs(double(b.low[k])) + std::fabs(double(b.high[k])) + std::fabs(double(view.position[k]));
  }
  const double slack = kRounding * size, blur = 1.0 + kBlurRoot * b.sigmas;
  const double nearest = -farthest_along({0, 0, -1}, view, offset, half) - slack;
  if (farthest_along({0, 0, 1}, view, offset, half) + slack < view.near_z || nearest > view.far_z) return true;
  if (!std::isfinite(b.reach)) return false;
  if (!(sight.scale * b.reach / std::max(nearest, double(view.near_z)) + blur <= sight.room)) return false;
  const double aside_x = sight.aside_x * b.reach, aside_y = sight.aside_y * b.reach;
  const double left = sight.left - blur * sight.pixel_x, right = sight.right + blur * sight.pixel_x;
  const double top = sight.top - blur * sight.pixel_y, bottom = sight.bottom + blur * sight.pixel_y;
  const auto beyond = [&](const double (&n)[3], double limit, double aside) {
    return farthest_along(n, view, offset, half) + aside + slack * (1.0 + std::fabs(limit)) <= 0.0;
  };
  return beyond({1, 0, -left}, left, aside_x) || beyond({-1, 0, right}, right, aside_x) ||
         beyond({0, 1, -top}, top, aside_y) || beyond({0, -1, bottom}, bottom, aside_y);
}

}  // namespace splatfilm
