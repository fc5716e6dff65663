#include "lattice.h"

#include <algorithm>
#include <cmath>

#include "pool.h"

namespace splatfilm {
namespace {

constexpr int kMostSamples = 9;        // along one axis of a splat that is larger than a cell
constexpr int32_t kMost = 1 << 21;     // units in a cell: the widest box of full cells is still a whole number of 31 bits

constexpr int64_t kAhead = 12;            // splats that memory is asked for before they are needed
constexpr int64_t kFewCells = 1 << 20;   // of a lattice that is blurred by one thread: waking others costs more
constexpr int64_t kManySplats = 1 << 16;  // that are put into slabs of a lattice side by side
constexpr int64_t kPlanes = 24;           // of such a slab; results do not depend on it

// Compiled for wider registers too, where the linker can choose among them when the program starts: whole numbers, and
// floats one by one, are the same bits in all of them.
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GLIBC__) && !defined(__clang__)
#define WIDE __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define WIDE
#endif

int64_t rounded_down(int64_t value, int step) { return (value >= 0 ? value : value - step + 1) / step * step; }

}  // namespace

bool Box::holds(const Box& other) const {
  for (int k = 0; k < 3; ++k)
    if (other.low[k] < low[k] || other.low[k] + other.size[k] > low[k] + size[k]) return false;
  return true;
}

bool Box::meets(const Box& other) const {
  for (int k = 0; k < 3; ++k)
    if (other.low[k] + other.size[k] <= low[k] || other.low[k] >= low[k] + size[k]) return false;
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

void turn_of(const float* q, float (&r)[3][3]) {
  float w = q[0], x = q[1], y = q[2], z = q[3];
  const float n = 1 / std::sqrt(std::max(w * w + x * x + y * y + z * z, 1e-30f));
  w *= n, x *= n, y *= n, z *= n;
  r[0][0] = 1 - 2 * (y * y + z * z), r[1][0] = 2 * (x * y + w * z), r[2][0] = 2 * (x * z - w * y);
  r[0][1] = 2 * (x * y - w * z), r[1][1] = 1 - 2 * (x * x + z * z), r[2][1] = 2 * (y * z + w * x);
  r[0][2] = 2 * (x * z + w * y), r[1][2] = 2 * (y * z - w * x), r[2][2] = 1 - 2 * (x * x + y * y);
}

void Depths::fill(const std::vector<Blocking>& all, const Box& box, double cell, int copies, double even) {
  box_ = grown(box, smear_of(copies));
  blurred_[0].assign(size_t(box_.cells()), 0);
  for (int width = 1; width < copies; ++width) blurred_[width].resize(size_t(box_.cells()));
  between_.resize(size_t(box_.cells()));
  fill_more(all, cell, copies, even);
}

void Depths::fill_more(const std::vector<Blocking>& all, double cell, int copies, double even) {
  int64_t count = 0;
  for (const Blocking& some : all) count += some.count;
  const int64_t planes = count < kManySplats ? box_.size[2] : kPlanes;
  parallel((box_.size[2] + planes - 1) / planes, [&](int64_t slab) {
    for (const Blocking& some : all)
      deposit(some, 1 / cell, even, int(slab * planes), int(std::min<int64_t>(box_.size[2], (slab + 1) * planes)));
  });
  for (int width = 1; width < copies; ++width) blur(width);
}

namespace {

// Sums over pairs of numbers of four rows, of which each eight cells are one: what crosses it crosses two of them, of four
// side by side.
WIDE void by_eights(const int32_t* __restrict a, const int32_t* __restrict b, const int32_t* __restrict c,
                    const int32_t* __restrict d, int count, int32_t* __restrict out) {
  for (int x = 0; x < count; ++x) {
    const int32_t sum = a[2 * x] + a[2 * x + 1] + b[2 * x] + b[2 * x + 1] + c[2 * x] + c[2 * x + 1] + d[2 * x] + d[2 * x + 1];
    out[x] = std::min(kMost, (sum + 2) >> 2);
  }
}

}  // namespace

void Depths::fill_from(const Depths& finer, const Box& box, int copies) {
  const int far = smear_of(copies);
  box_ = grown(box, far);
  for (int width = 0; width < copies; ++width) blurred_[width].resize(size_t(box_.cells()));
  between_.resize(size_t(box_.cells()));
  const Box& from = finer.box();
  const int64_t row = from.size[0], plane = row * from.size[1];
  const int64_t aside[3] = {2 * box.low[0] - from.low[0], 2 * box.low[1] - from.low[1], 2 * box.low[2] - from.low[2]};
  int32_t* to = blurred_[0].data();
  for (int z = -far; z < box.size[2] + far; ++z)
    for (int y = -far; y < box.size[1] + far; ++y, to += box_.size[0]) {
      if (z < 0 || y < 0 || z >= box.size[2] || y >= box.size[1]) {
        std::fill_n(to, box_.size[0], 0);
        continue;
      }
      const int32_t* first = finer.blurred(0) + (2 * z + aside[2]) * plane + (2 * y + aside[1]) * row + aside[0];
      std::fill_n(to, far, 0);
      by_eights(first, first + row, first + plane, first + plane + row, box.size[0], to + far);
      std::fill_n(to + far + box.size[0], far, 0);
    }
  for (int width = 1; width < copies; ++width) blur(width);
}

// Shares of a depth at a place, in cells, go to the eight cells around it. What is added does not depend on the box.
void Depths::add(const double (&at)[3], float weight, int first, int last) {
  int64_t cell[3];
  float past[3];
  for (int k = 0; k < 3; ++k) {
    const int64_t below = whole(at[k]);
    cell[k] = below - box_.low[k], past[k] = float(at[k] - double(below));
  }
  const int64_t x = cell[0], y = cell[1], z = cell[2], row = box_.size[0], plane = row * box_.size[1];
  const float xs[2] = {1 - past[0], past[0]}, ys[2] = {1 - past[1], past[1]}, zs[2] = {(1 - past[2]) * weight, past[2] * weight};
  int32_t* depths = blurred_[0].data() + z * plane + y * row + x;
  const float level[4] = {xs[0] * ys[0], xs[1] * ys[0], xs[0] * ys[1], xs[1] * ys[1]};
  int32_t shares[8];
  for (int c = 0; c < 8; ++c) shares[c] = int32_t(level[c & 3] * zs[c >> 2] + 0.5f);
  const auto put = [&](int c) {
    int32_t& depth = depths[(c >> 2) * plane + (c >> 1 & 1) * row + (c & 1)];
    depth = std::min(kMost, depth + shares[c]);
  };
  const bool inside = uint64_t(x) < uint64_t(box_.size[0] - 1) && uint64_t(y) < uint64_t(box_.size[1] - 1) && z >= first &&
                      z + 1 < last;
  if (inside) {
    for (int c = 0; c < 8; ++c) put(c);
    return;
  }
  if (x < -1 || y < -1 || z < first - 1 || x >= box_.size[0] || y >= box_.size[1] || z >= last) return;
  for (int c = 0; c < 8; ++c) {
    const int64_t plane_of = z + (c >> 2);
    if (uint64_t(x + (c & 1)) < uint64_t(box_.size[0]) && uint64_t(y + (c >> 1 & 1)) < uint64_t(box_.size[1]) &&
        plane_of >= first && plane_of < last)
      put(c);
  }
}

// Adds the optical depth of a row of cells' worth: a splat is a disc of area 2 pi a b times its opacity, and a disc
// that lies any way shows half of its area (Cauchy). One that is larger than a cell is spread over its extent.
void Depths::deposit(const Blocking& some, double a_cell, double even, int first, int last) {
  const SplatArrays splats = some.splats;
  const double low[3] = {double(box_.low[0]), double(box_.low[1]), double(box_.low[2])};
  const double size[2] = {double(box_.size[0]), double(box_.size[1])};
  for (int64_t i = 0; i < some.count; ++i) {
    const int64_t row = some.rows ? some.rows[i] : i, later = some.rows ? some.rows[std::min(i + kAhead, some.count - 1)] : row;
    __builtin_prefetch(splats.means + 3 * later);
    __builtin_prefetch(splats.scales + 3 * later);
    const float *s = splats.scales + 3 * row, *m = splats.means + 3 * row, longest = std::max({s[0], s[1], s[2]});
    const double reach = 3.0 * longest * a_cell + 1, at[3] = {m[0] * a_cell, m[1] * a_cell, m[2] * a_cell};
    const double x = at[0] - low[0], y = at[1] - low[1], z = at[2] - low[2];
    if (!(z > first - reach && z < last + reach && x > -reach && x < size[0] + reach && y > -reach && y < size[1] + reach))
      continue;
    const double area = 3.141592653589793 * (some.areas ? some.areas[i] : area_of(splats, row));
    if (!(area > 0)) continue;
    const float weight = float(std::min(area * a_cell * a_cell / double(kUnit), double(kMost)));
    if (1.5 * longest * a_cell <= even)
      add(at, weight, first, last);
    else
      add_large(splats, row, at, weight, a_cell, first, last);
  }
}

void Depths::add_large(const SplatArrays& splats, int64_t row, const double (&at)[3], float weight, double a_cell,
                       int first, int last) {
  const float* s = splats.scales + 3 * row;
  float r[3][3];
  turn_of(splats.quats + 4 * row, r);
  double shares[3][kMostSamples], steps[3];  // a step in cells
  int counts[3];
  for (int k = 0; k < 3; ++k) {
    counts[k] = std::max(1, std::min(kMostSamples, 1 + 2 * int(std::ceil(std::min(1.5 * s[k] * a_cell - kEven, 1e3)))));
    const double step = counts[k] > 1 ? 3.4 / (counts[k] - 1) : 0;  // in standard deviations
    double total = 0;
    for (int i = 0; i < counts[k]; ++i) {
      const double t = step * (i - counts[k] / 2);
      total += shares[k][i] = 1 / (1 + t * t * (0.5 + t * t * 0.25));
    }
    for (int i = 0; i < counts[k]; ++i) shares[k][i] /= total;
    steps[k] = step * s[k] * a_cell;
  }
  for (int a = 0; a < counts[0]; ++a)
    for (int b = 0; b < counts[1]; ++b)
      for (int c = 0; c < counts[2]; ++c) {
        const double t[3] = {steps[0] * (a - counts[0] / 2), steps[1] * (b - counts[1] / 2), steps[2] * (c - counts[2] / 2)};
        double p[3];
        for (int axis = 0; axis < 3; ++axis) p[axis] = at[axis] + r[axis][0] * t[0] + r[axis][1] * t[1] + r[axis][2] * t[2];
        add(p, float(weight * shares[0][a] * shares[1][b] * shares[2][c]), first, last);
      }
}

namespace {

// Sums over the 2 h + 1 numbers around each of a row; `padded` begins h numbers before it, and ends h after it.
WIDE void along_a_row(const int32_t* __restrict padded, int count, int h, int32_t* __restrict out) {
  if (h == 1) {
    for (int x = 0; x < count; ++x) out[x] = padded[x] + padded[x + 1] + padded[x + 2];
  } else {
    for (int x = 0; x < count; ++x) out[x] = 0;
    for (int d = 0; d <= 2 * h; ++d)
      for (int x = 0; x < count; ++x) out[x] += padded[x + d];
  }
}

// The next row of sums: what comes into them, less what goes.
WIDE void slide(const int32_t* __restrict in, const int32_t* __restrict gone, int count, int32_t* __restrict sums) {
  for (int x = 0; x < count; ++x) sums[x] += in[x] - gone[x];
}

WIDE void slide_into(const int32_t* __restrict in, const int32_t* __restrict gone, int count, int32_t* __restrict sums,
                     int32_t* __restrict out) {
  for (int x = 0; x < count; ++x) out[x] = sums[x] += in[x] - gone[x];
}

WIDE void slide_into_mean(const int32_t* __restrict in, const int32_t* __restrict gone, int count, float even,
                          int32_t* __restrict sums, int32_t* __restrict out) {
  for (int x = 0; x < count; ++x) {
    sums[x] += in[x] - gone[x];
    out[x] = int32_t(float(sums[x]) * even + 0.5f);
  }
}

// Sums over the 2 h + 1 rows around each of `count` rows of `width`; `store` takes what comes in and what goes.
template <typename Store>
void slide_over(const int32_t* from, int width, int count, int64_t stride, int h, const Store& store) {
  std::vector<int32_t> sums(size_t(width), 0), none(size_t(width), 0);
  for (int row = -h; row < count; ++row) {
    const int32_t* in = row + h < count ? from + (row + h) * stride : none.data();
    const int32_t* gone = row > h ? from + (row - h - 1) * stride : none.data();
    if (row < 0)
      slide(in, gone, width, sums.data());
    else
      store(row, in, gone, sums.data());
  }
}

}  // namespace

// A box of 2 h + 1 cells along every axis, over the copy before.
void Depths::blur(int number) {
  const int h = kHalfWidths[number], nx = box_.size[0], ny = box_.size[1], nz = box_.size[2];
  const float even = 1.0f / float((2 * h + 1) * (2 * h + 1) * (2 * h + 1));
  const int32_t* from = blurred_[number - 1].data();
  int32_t* to = blurred_[number].data();
  const int64_t plane = int64_t(nx) * ny;
  const auto each = [&](int64_t count, const auto& body) {
    if (box_.cells() > kFewCells) return parallel(count, body);
    for (int64_t i = 0; i < count; ++i) body(i);
  };
  each(nz, [&](int64_t z) {  // along x, then y
    std::vector<int32_t> rows(static_cast<size_t>(plane)), padded(size_t(nx + 2 * h), 0);
    for (int y = 0; y < ny; ++y) {
      std::copy_n(from + z * plane + int64_t(y) * nx, nx, padded.data() + h);
      along_a_row(padded.data(), nx, h, rows.data() + int64_t(y) * nx);
    }
    int32_t* plane_out = between_.data() + z * plane;
    slide_over(rows.data(), nx, ny, nx, h, [&](int y, const int32_t* in, const int32_t* gone, int32_t* sums) {
      slide_into(in, gone, nx, sums, plane_out + int64_t(y) * nx);
    });
  });
  each(ny, [&](int64_t y) {
    slide_over(between_.data() + y * nx, nx, nz, plane, h, [&](int z, const int32_t* in, const int32_t* gone, int32_t* sums) {
      slide_into_mean(in, gone, nx, even, sums, to + z * plane + y * nx);
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

void Depths::mark_blocks() {
  for (int k = 0; k < 3; ++k) filled_size_[k] = (box_.size[k] + kSide - 1) / kSide + 2;
  const int64_t nx = filled_size_[0], ny = filled_size_[1], nz = filled_size_[2];
  any_.assign(size_t(nx * ny * nz), 0);
  const int32_t* value = blurred_[0].data();
  for (int z = 0; z < box_.size[2]; ++z)
    for (int y = 0; y < box_.size[1]; ++y, value += box_.size[0]) {
      uint8_t* blocks = any_.data() + ((z / kSide + 1) * ny + y / kSide + 1) * nx + 1;
      for (int x = 0; x < box_.size[0]; x += kSide) {
        int32_t all = 0;
        for (int i = x; i < std::min(box_.size[0], x + kSide); ++i) all |= value[i];
        blocks[x / kSide] |= all != 0;
      }
    }
  reached_ = any_;
  filled_.resize(any_.size());
  int64_t reached = 0;
  for (int width = 0; width < kBlurs; ++width) {  // a copy reaches so many cells farther, and what is beside counts
    int64_t smear = 0;
    for (int k = 1; k <= width; ++k) smear += kHalfWidths[k];
    const int64_t far = (smear + kSide - 1) / kSide + 1, more = far - reached;
    reached = far;
    if (more) {
      spread(reached_, nx, 1, ny * nz, more);
      spread(reached_, ny, nx, nx * nz, more);
      spread(reached_, nz, nx * ny, nx * ny, more);
    }
    for (size_t i = 0; i < filled_.size(); ++i) filled_[i] = (width ? filled_[i] : 0) + reached_[i];
  }
}

void Depths::mark_near(const Box& around, int far) {
  marked_ = around;
  for (int k = 0; k < 3; ++k) blocks_[k] = (around.size[k] + kSide - 1) / kSide;
  near_.assign(size_t(blocks_[0]) * size_t(blocks_[1]) * size_t(blocks_[2]), 0);
  const int64_t nx = blocks_[0], ny = blocks_[1], nz = blocks_[2];
  for (int k = 0; k < filled_size_[2]; ++k)  // blocks of the box, which do not lie on those of `around`
    for (int j = 0; j < filled_size_[1]; ++j)
      for (int i = 0; i < filled_size_[0]; ++i) {
        if (!any_[size_t((k * filled_size_[1] + j) * filled_size_[0] + i)]) continue;
        const int64_t first[3] = {(i - 1) * kSide + box_.low[0] - around.low[0], (j - 1) * kSide + box_.low[1] - around.low[1],
                                  (k - 1) * kSide + box_.low[2] - around.low[2]};
        int64_t low[3], high[3];
        for (int a = 0; a < 3; ++a) {
          low[a] = std::max<int64_t>(0, std::min<int64_t>(first[a], around.size[a] - 1)) / kSide;
          high[a] = std::max<int64_t>(0, std::min<int64_t>(first[a] + kSide - 1, around.size[a] - 1)) / kSide;
        }
        for (int64_t z = low[2]; z <= high[2]; ++z)
          for (int64_t y = low[1]; y <= high[1]; ++y)
            for (int64_t x = low[0]; x <= high[0]; ++x) near_[size_t((z * ny + y) * nx + x)] = 1;
      }
  const int64_t blocks = (far + 2 * kSide - 1) / kSide;
  spread(near_, nx, 1, ny * nz, blocks);
  spread(near_, ny, nx, nx * nz, blocks);
  spread(near_, nz, nx * ny, nx * ny, blocks);
}

}  // namespace splatfilm
