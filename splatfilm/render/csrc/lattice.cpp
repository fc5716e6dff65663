#include "lattice.h"

#include <algorithm>
#include <cmath>

#include "pool.h"

namespace splatfilm {
namespace {

constexpr int kMostSamples = 9;        // along one axis of a splat that is larger than a cell
constexpr int32_t kMost = 1 << 21;     // units in a cell: the widest box of full cells is still a whole number of 31 bits

int64_t rounded_down(int64_t value, int step) { return (value >= 0 ? value : value - step + 1) / step * step; }

}  // namespace

bool Box::holds(const Box& other) const {
  for (int k = 0; k < 3; ++k)
    if (other.low[k] < low[k] || other.low[k] + other.size[k] > low[k] + size[k]) return false;
  return true;
}

Box grown(const Box& box, int cells) {
  Box result = box;
  for (int k = 0; k < 3; ++k) {
    result.low[k] -= cells;
    result.size[k] += 2 * cells;
  }
  return result;
}

Box rounded(const Box& box, int step) {
  Box result;
  for (int k = 0; k < 3; ++k) {
    result.low[k] = rounded_down(box.low[k], step);
    result.size[k] = int(rounded_down(box.low[k] + box.size[k] + step - 1, step) - result.low[k]);
  }
  return result;
}

void turn_of(const float* q, double (&r)[3][3]) {
  double w = q[0], x = q[1], y = q[2], z = q[3];
  const double n = 1 / std::sqrt(std::max(w * w + x * x + y * y + z * z, 1e-30));
  w *= n, x *= n, y *= n, z *= n;
  r[0][0] = 1 - 2 * (y * y + z * z), r[1][0] = 2 * (x * y + w * z), r[2][0] = 2 * (x * z - w * y);
  r[0][1] = 2 * (x * y - w * z), r[1][1] = 1 - 2 * (x * x + z * z), r[2][1] = 2 * (y * z + w * x);
  r[0][2] = 2 * (x * z + w * y), r[1][2] = 2 * (y * z - w * x), r[2][2] = 1 - 2 * (x * x + y * y);
}

Spot spot_of(const double (&point)[3], double cell) {
  double at[3], whole[3];
  for (int k = 0; k < 3; ++k) {
    at[k] = std::max(-1e15, std::min(1e15, point[k] / cell));
    whole[k] = std::floor(at[k]);
  }
  return {int64_t(whole[0]), int64_t(whole[1]), int64_t(whole[2]), float(at[0] - whole[0]), float(at[1] - whole[1]),
          float(at[2] - whole[2])};
}

Depths::Depths(const SplatArrays& splats, int64_t begin, int64_t end, const Box& box, double cell)
    : box_(grown(box, kSmear)) {
  for (auto& volume : blurred_) volume.assign(size_t(box_.cells()), 0);
  for (int64_t row = begin; row < end; ++row) deposit(splats, row, cell);
  std::vector<int32_t> between(size_t(box_.cells()));
  for (int width = 1; width < kBlurs; ++width) blur(width, between);
}

// Adds the optical depth of a row of cells' worth: a splat is a disc of area 2 pi a b times its opacity, and a disc
// that lies any way shows half of its area (Cauchy). One that is larger than a cell is spread over its extent.
void Depths::deposit(const SplatArrays& splats, int64_t row, double cell) {
  const float opacity = splats.opacities[row];
  const float *s = splats.scales + 3 * row, *m = splats.means + 3 * row;
  if (!(opacity > 0)) return;
  const double reach = 3.0 * std::max({s[0], s[1], s[2]}) / cell + 1;
  for (int k = 0; k < 3; ++k) {
    const double at = m[k] / cell - double(box_.low[k]);
    if (!(at > -reach && at < box_.size[k] + reach)) return;
  }
  double sorted[3] = {s[0], s[1], s[2]};
  std::sort(sorted, sorted + 3);
  const double area = 2 * 3.141592653589793 * sorted[1] * sorted[2] * opacity;
  double r[3][3], shares[3][kMostSamples], steps[3];
  int counts[3];
  for (int k = 0; k < 3; ++k) {
    counts[k] = std::max(1, std::min(kMostSamples, 1 + 2 * int(std::ceil(1.5 * s[k] / cell - 0.5))));
    steps[k] = counts[k] > 1 ? 3.4 / (counts[k] - 1) : 0;  // in standard deviations
    double total = 0;
    for (int i = 0; i < counts[k]; ++i) {
      const double t = steps[k] * (i - counts[k] / 2);
      total += shares[k][i] = 1 / (1 + t * t * (0.5 + t * t * 0.25));
    }
    for (int i = 0; i < counts[k]; ++i) shares[k][i] /= total;
  }
  if (counts[0] * counts[1] * counts[2] > 1) turn_of(splats.quats + 4 * row, r);
  const double whole = area / (2 * cell * cell) / double(kUnit);
  for (int a = 0; a < counts[0]; ++a)
    for (int b = 0; b < counts[1]; ++b)
      for (int c = 0; c < counts[2]; ++c) {
        const int own[3] = {a, b, c};
        double p[3] = {m[0], m[1], m[2]};
        for (int k = 0; k < 3; ++k) {
          const double t = steps[k] * (own[k] - counts[k] / 2);
          if (t != 0)
            for (int axis = 0; axis < 3; ++axis) p[axis] += r[axis][k] * t * s[k];
        }
        const Spot spot = spot_of(p, cell);
        const float weight = float(std::min(whole * shares[0][a] * shares[1][b] * shares[2][c], double(kMost)));
        for (int k = 0; k < 8; ++k) {
          const int i = k & 1, j = k >> 1 & 1, n = k >> 2;
          if (!box_.holds(spot.x + i, spot.y + j, spot.z + n)) continue;
          const float share = (i ? spot.u : 1 - spot.u) * (j ? spot.v : 1 - spot.v) * (n ? spot.w : 1 - spot.w);
          int32_t& depth = blurred_[0][size_t(box_.at(spot.x + i, spot.y + j, spot.z + n))];
          depth = std::min(kMost, depth + int32_t(share * weight + 0.5f));
        }
      }
}

namespace {

// Sums over the 2 h + 1 rows around each of `count` rows.
template <typename Store>
void slide(const int32_t* __restrict from, int width, int count, int64_t stride, int h, const Store& store) {
  std::vector<int32_t> sum(static_cast<size_t>(width), 0);
  int32_t* __restrict s = sum.data();
  for (int row = -h; row < count; ++row) {
    if (row + h < count) {
      const int32_t* __restrict in = from + (row + h) * stride;
      for (int x = 0; x < width; ++x) s[x] += in[x];
    }
    if (row > h) {
      const int32_t* __restrict in = from + (row - h - 1) * stride;
      for (int x = 0; x < width; ++x) s[x] -= in[x];
    }
    if (row >= 0) store(row, s);
  }
}

}  // namespace

// A box of 2 h + 1 cells along every axis, over the copy before.
void Depths::blur(int number, std::vector<int32_t>& between) {
  const int h = kHalfWidths[number], nx = box_.size[0], ny = box_.size[1], nz = box_.size[2];
  const float even = 1.0f / float((2 * h + 1) * (2 * h + 1) * (2 * h + 1));
  const int32_t* from = blurred_[number - 1].data();
  int32_t* to = blurred_[number].data();
  const int64_t plane = int64_t(nx) * ny;
  parallel(nz, [&](int64_t z) {  // along x, then y
    std::vector<int32_t> rows(static_cast<size_t>(plane));
    for (int y = 0; y < ny; ++y) {
      const int32_t* __restrict in = from + z * plane + int64_t(y) * nx;
      int32_t* __restrict out = rows.data() + int64_t(y) * nx;
      for (int d = -h; d <= h; ++d)
        for (int x = std::max(0, -d), last = std::min(nx, nx - d); x < last; ++x) out[x] += in[x + d];
    }
    int32_t* plane_out = between.data() + z * plane;
    slide(rows.data(), nx, ny, nx, h, [&](int y, const int32_t* __restrict s) {
      int32_t* __restrict out = plane_out + int64_t(y) * nx;
      for (int x = 0; x < nx; ++x) out[x] = s[x];
    });
  });
  parallel(ny, [&](int64_t y) {
    slide(between.data() + y * nx, nx, nz, plane, h, [&](int z, const int32_t* __restrict s) {
      int32_t* __restrict out = to + z * plane + y * nx;
      for (int x = 0; x < nx; ++x) out[x] = int32_t(float(s[x]) * even + 0.5f);
    });
  });
}

namespace {

// Spreads flags along one axis by `far` blocks to either side.
void spread(std::vector<uint8_t>& flags, int64_t count, int64_t stride, int64_t lines, int64_t far) {
  std::vector<uint8_t> line(static_cast<size_t>(count));
  for (int64_t k = 0; k < lines; ++k) {
    uint8_t* first = flags.data() + k / stride * stride * count + k % stride;
    for (int64_t i = 0; i < count; ++i) line[size_t(i)] = first[i * stride];
    int64_t last = -1;  // one past the last block that a flag so far reaches
    for (int64_t i = 0; i < std::min(far, count); ++i)
      if (line[size_t(i)]) last = i + far;
    for (int64_t i = 0; i < count; ++i) {
      if (i + far < count && line[size_t(i + far)]) last = i + 2 * far;
      first[i * stride] = i <= last;
    }
  }
}

}  // namespace

void Depths::mark_near(const Box& around, int far) {
  marked_ = around;
  for (int k = 0; k < 3; ++k) blocks_[k] = (around.size[k] + kBlock - 1) / kBlock;
  near_.assign(size_t(blocks_[0]) * size_t(blocks_[1]) * size_t(blocks_[2]), 0);
  const int32_t* value = blurred_[0].data();
  for (int z = 0; z < box_.size[2]; ++z)
    for (int y = 0; y < box_.size[1]; ++y)
      for (int x = 0; x < box_.size[0]; ++x, ++value) {
        if (*value == 0) continue;
        const int64_t p[3] = {x + box_.low[0] - around.low[0], y + box_.low[1] - around.low[1], z + box_.low[2] - around.low[2]};
        int64_t at[3];
        for (int k = 0; k < 3; ++k) at[k] = std::max<int64_t>(0, std::min<int64_t>(p[k], around.size[k] - 1)) / kBlock;
        near_[size_t((at[2] * blocks_[1] + at[1]) * blocks_[0] + at[0])] = 1;
      }
  const int64_t blocks = (far + kSmear + 2 * kBlock - 1) / kBlock, nx = blocks_[0], ny = blocks_[1], nz = blocks_[2];
  spread(near_, nx, 1, ny * nz, blocks);
  spread(near_, ny, nx, nx * nz, blocks);
  spread(near_, nz, nx * ny, nx * ny, blocks);
}

}  // namespace splatfilm
