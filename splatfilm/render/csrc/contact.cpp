// Ambient occlusion between the cast and the set, in the space of the scene.
//
// Splats become the optical depth of a lattice of cells. From every lattice point beside a splat twenty cones look
// around (C. Crassin et al., "Interactive indirect illumination using voxel cone tracing", Pacific Graphics 2011): what
// they meet is looked up in copies of the lattice that were blurred as widely as the cone is there. A splat blends the
// eight points around it, weighs the directions by the cosine to its normal, and so gets how much light is missing.
// Points and directions sit on the lattice, so a look-up is one addition to an index.
#include "contact.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "pool.h"

namespace splatfilm {
namespace {

constexpr int kAxes = 10;      // directions come in opposite pairs: the twenty corners of a dodecahedron
constexpr int kBlurs = 4;      // copies of a lattice, ever wider
constexpr int kHalfWidths[kBlurs] = {0, 1, 2, 4};  // each is a box over the one before it
constexpr int kMostSamples = 9;                    // along one axis of a splat that is larger than a cell
constexpr double kFirst = 1.0;   // cells: what is nearer than this is the surface itself
constexpr double kOwnSurface = 2.5;  // cells: from here on the set may stand between a splat of its own and the cast
constexpr double kRatio = 1.45;  // of one step along a cone to the one before
constexpr int kBlock = 4;   // cells along a side of what is found empty or not as one
constexpr size_t kMostTaps = 32;  // steps of a cone: those of a reach of 400 000 cells
constexpr float kFaint = 1.0f / 256;  // less than this is nothing, so that what is far away keeps its bits

struct Lattice {
  int nx, ny, nz;
  int64_t points() const { return int64_t(nx) * ny * nz; }
  int64_t at(int x, int y, int z) const { return (int64_t(z) * ny + y) * nx + x; }
};

struct Direction {
  double x, y, z;
};

struct Tap {
  int x, y, z;      // cells from the point
  int blur;         // which copy is wide enough
  bool blocks;      // far enough from the surface that what is here is something else
  float length;     // cells that this step stands for
  float fade;       // what an occluder counts here
};

using Volume = std::vector<float>;

void axes_of(Direction (&axes)[kAxes]) {
  const double g = (1 + std::sqrt(5.0)) / 2, n = 1 / std::sqrt(3.0);
  int k = 0;
  for (int i = 0; i < 4; ++i) axes[k++] = {n, i & 1 ? -n : n, i & 2 ? -n : n};
  for (int i = 0; i < 2; ++i) {
    const double s = (i ? -g : g) * n, t = n / g;
    axes[k++] = {0, t, s};
    axes[k++] = {t, s, 0};
    axes[k++] = {s, 0, t};
  }
}

std::vector<Tap> taps_of(const Direction& d, double reach) {  // reach in cells
  std::vector<Tap> taps;
  double begin = kFirst;
  while (begin < reach && taps.size() < kMostTaps) {
    const double end = std::min(begin * kRatio + 0.3, reach), t = 0.5 * (begin + end), left = 1 - t / reach;
    const int blur = t < 2.2 ? 0 : t < 4.5 ? 1 : t < 9 ? 2 : 3;
    taps.push_back({int(std::lround(d.x * t)), int(std::lround(d.y * t)), int(std::lround(d.z * t)), blur,
                    t > kOwnSurface, float(end - begin), float(left * (2 - left))});
    begin = end;
  }
  return taps;
}

// The three columns of a splat's rotation.
void turn_of(const float* q, double (&r)[3][3]) {
  double w = q[0], x = q[1], y = q[2], z = q[3];
  const double n = 1 / std::sqrt(std::max(w * w + x * x + y * y + z * z, 1e-30));
  w *= n, x *= n, y *= n, z *= n;
  r[0][0] = 1 - 2 * (y * y + z * z), r[1][0] = 2 * (x * y + w * z), r[2][0] = 2 * (x * z - w * y);
  r[0][1] = 2 * (x * y - w * z), r[1][1] = 1 - 2 * (x * x + z * z), r[2][1] = 2 * (y * z + w * x);
  r[0][2] = 2 * (x * z + w * y), r[1][2] = 2 * (y * z - w * x), r[2][2] = 1 - 2 * (x * x + y * y);
}

// Where a point is on the lattice: the cell's first corner, and how far it is past it.
struct Spot {
  int x, y, z;
  float u, v, w;
};

bool spot_of(const ContactTask& task, const double* p, Spot& spot) {
  double at[3], whole[3];
  for (int k = 0; k < 3; ++k) {
    at[k] = p[k] / task.cell - double(task.low[k]);
    whole[k] = std::floor(at[k]);
    if (!(whole[k] >= 0 && whole[k] < task.size[k] - 1)) return false;
  }
  spot = {int(whole[0]), int(whole[1]), int(whole[2]), float(at[0] - whole[0]), float(at[1] - whole[1]),
          float(at[2] - whole[2])};
  return true;
}

void corners_of(const Lattice& l, const Spot& s, int64_t (&index)[8], float (&share)[8]) {
  for (int k = 0; k < 8; ++k) {
    const int i = k & 1, j = k >> 1 & 1, m = k >> 2;
    index[k] = l.at(s.x + i, s.y + j, s.z + m);
    share[k] = (i ? s.u : 1 - s.u) * (j ? s.v : 1 - s.v) * (m ? s.w : 1 - s.w);
  }
}

// Adds the optical depth of a row of cells' worth: a splat is a disc of area 2 pi a b times its opacity, and a disc
// that lies any way shows half of its area (Cauchy). One that is larger than a cell is spread over its extent.
void deposit(const ContactTask& task, const Lattice& l, int64_t row, Volume& volume) {
  const float opacity = task.opacities[row];
  const float *s = task.scales + 3 * row, *m = task.means + 3 * row;
  if (!(opacity > 0)) return;
  const double reach = 3.0 * std::max({s[0], s[1], s[2]}) / task.cell + 1;
  for (int k = 0; k < 3; ++k) {
    const double at = m[k] / task.cell - double(task.low[k]);
    if (!(at > -reach && at < task.size[k] + reach)) return;
  }
  double sorted[3] = {s[0], s[1], s[2]};
  std::sort(sorted, sorted + 3);
  const double area = 2 * 3.141592653589793 * sorted[1] * sorted[2] * opacity;
  double r[3][3];
  int counts[3];
  double steps[3], total[3];
  for (int k = 0; k < 3; ++k) {
    counts[k] = std::min(kMostSamples, 1 + 2 * int(std::ceil(1.5 * s[k] / task.cell - 0.5)));
    if (counts[k] < 1) counts[k] = 1;
    steps[k] = counts[k] > 1 ? 3.4 / (counts[k] - 1) : 0;  // in standard deviations
    total[k] = 0;
    for (int i = 0; i < counts[k]; ++i) {
      const double t = steps[k] * (i - counts[k] / 2);
      total[k] += 1 / (1 + t * t * (0.5 + t * t * 0.25));
    }
  }
  if (counts[0] * counts[1] * counts[2] > 1) turn_of(task.quats + 4 * row, r);
  for (int a = 0; a < counts[0]; ++a)
    for (int b = 0; b < counts[1]; ++b)
      for (int c = 0; c < counts[2]; ++c) {
        const int own[3] = {a, b, c};
        double p[3] = {m[0], m[1], m[2]}, weight = area / (2 * task.cell * task.cell);
        for (int k = 0; k < 3; ++k) {
          const double t = steps[k] * (own[k] - counts[k] / 2);
          weight *= 1 / (1 + t * t * (0.5 + t * t * 0.25)) / total[k];
          if (t != 0)
            for (int axis = 0; axis < 3; ++axis) p[axis] += r[axis][k] * t * s[k];
        }
        Spot spot;
        if (!spot_of(task, p, spot)) continue;
        int64_t index[8];
        float share[8];
        corners_of(l, spot, index, share);
        for (int k = 0; k < 8; ++k) volume[size_t(index[k])] += share[k] * float(weight);
      }
}

// Sums over the 2 h + 1 rows around each of `count` rows, times `scale`. What a row adds is taken away again, so zeros
// become zeros but for rounding, which `kFaint` swallows.
void slide(const float* __restrict from, float* __restrict to, int width, int count, int64_t stride, int h, float scale) {
  std::vector<float> sum(static_cast<size_t>(width), 0.0f);
  float* __restrict s = sum.data();
  for (int row = -h; row < count; ++row) {
    if (row + h < count) {
      const float* __restrict in = from + (row + h) * stride;
      for (int x = 0; x < width; ++x) s[x] += in[x];
    }
    if (row > h) {
      const float* __restrict in = from + (row - h - 1) * stride;
      for (int x = 0; x < width; ++x) s[x] -= in[x];
    }
    if (row < 0) continue;
    float* __restrict out = to + row * stride;
    for (int x = 0; x < width; ++x) out[x] = s[x] * scale;
  }
}

// A box of 2 h + 1 cells along every axis, from `from` to `to`.
void blur(const Lattice& l, int h, const Volume& from, Volume& to, Volume& between) {
  const float even = 1.0f / float(2 * h + 1);
  parallel(l.nz, [&](int64_t z) {  // along x, then y
    std::vector<float> rows(size_t(l.nx) * l.ny);
    for (int y = 0; y < l.ny; ++y) {
      const float* in = from.data() + l.at(0, y, int(z));
      float* out = rows.data() + size_t(y) * l.nx;
      for (int x = 0; x < l.nx; ++x) out[x] = 0;
      for (int d = -h; d <= h; ++d)
        for (int x = std::max(0, -d), end = std::min(l.nx, l.nx - d); x < end; ++x) out[x] += in[x + d];
    }
    slide(rows.data(), between.data() + l.at(0, 0, int(z)), l.nx, l.ny, l.nx, h, 1);
  });
  const int64_t plane = int64_t(l.nx) * l.ny;
  parallel(l.ny, [&](int64_t y) {
    slide(between.data() + y * l.nx, to.data() + y * l.nx, l.nx, l.nz, plane, h, even * even * even);
  });
}

struct Depths {
  Volume blurred[kBlurs];
  int low[3] = {0, 0, 0};   // cells outside of which there is nothing, however blurred
  int size[3] = {0, 0, 0};

  Lattice blocks{0, 0, 0};
  std::vector<uint8_t> near;  // of every block, whether a cone from there can meet anything

  // For the cell whose first corner this is.
  bool can_meet(int x, int y, int z) const { return near[size_t(blocks.at(x / kBlock, y / kBlock, z / kBlock))]; }

  bool holds(int x, int y, int z) const {
    return unsigned(x - low[0]) < unsigned(size[0]) && unsigned(y - low[1]) < unsigned(size[1]) &&
           unsigned(z - low[2]) < unsigned(size[2]);
  }
};

void find_box(const Lattice& l, Depths& depths) {
  constexpr int kWidest = kHalfWidths[1] + kHalfWidths[2] + kHalfWidths[3];
  const int sides[3] = {l.nx, l.ny, l.nz};
  int low[3] = {l.nx, l.ny, l.nz}, high[3] = {-1, -1, -1};
  const float* value = depths.blurred[0].data();
  for (int z = 0; z < l.nz; ++z)
    for (int y = 0; y < l.ny; ++y, value += l.nx)
      for (int x = 0; x < l.nx; ++x)
        if (value[x] > 0) {
          const int p[3] = {x, y, z};
          for (int k = 0; k < 3; ++k) {
            low[k] = std::min(low[k], p[k]);
            high[k] = std::max(high[k], p[k]);
          }
        }
  for (int k = 0; k < 3; ++k) {
    depths.low[k] = std::max(0, low[k] - kWidest);
    depths.size[k] = high[k] < 0 ? 0 : std::min(sides[k] - 1, high[k] + kWidest) - depths.low[k] + 1;
  }
}

// Spreads flags along one axis by `far` blocks to either side.
void spread(std::vector<uint8_t>& flags, int64_t count, int64_t stride, int64_t lines, int far) {
  std::vector<uint8_t> line(static_cast<size_t>(count));
  for (int64_t k = 0; k < lines; ++k) {
    uint8_t* first = flags.data() + k / stride * stride * count + k % stride;
    for (int64_t i = 0; i < count; ++i) line[size_t(i)] = first[i * stride];
    for (int64_t i = 0; i < count; ++i) {
      uint8_t any = 0;
      for (int64_t j = std::max<int64_t>(0, i - far); j <= std::min(count - 1, i + far); ++j) any |= line[size_t(j)];
      first[i * stride] = any;
    }
  }
}

// A cone's longest step, the widest blur there and the cell's far corner say how far away what is met can be.
void find_near(const ContactTask& task, const Lattice& l, Depths& depths) {
  constexpr int kWidest = kHalfWidths[1] + kHalfWidths[2] + kHalfWidths[3];
  const Lattice b{(l.nx + kBlock - 1) / kBlock, (l.ny + kBlock - 1) / kBlock, (l.nz + kBlock - 1) / kBlock};
  depths.blocks = b;
  depths.near.assign(size_t(b.points()), 0);
  const float* value = depths.blurred[0].data();
  for (int z = 0; z < l.nz; ++z)
    for (int y = 0; y < l.ny; ++y, value += l.nx)
      for (int x = 0; x < l.nx; ++x)
        if (value[x] > 0) depths.near[size_t(b.at(x / kBlock, y / kBlock, z / kBlock))] = 1;
  const int far = (int(std::ceil(task.reach / task.cell)) + kWidest + kBlock) / kBlock;
  spread(depths.near, b.nx, 1, int64_t(b.ny) * b.nz, far);
  spread(depths.near, b.ny, b.nx, int64_t(b.nx) * b.nz, far);
  spread(depths.near, b.nz, int64_t(b.nx) * b.ny, int64_t(b.nx) * b.ny, far);
}

// What rows begin..end put on the lattice, before any blur.
void fill(const ContactTask& task, const Lattice& l, int64_t begin, int64_t end, Depths& depths) {
  for (Volume& volume : depths.blurred) volume.assign(size_t(l.points()), 0.0f);
  for (int64_t row = begin; row < end; ++row) deposit(task, l, row, depths.blurred[0]);
  find_box(l, depths);
  find_near(task, l, depths);
}

// exp(-depth) of the light, without a library's last bit.
float dimmed(float light, float depth) { return light / (1 + depth * (1 + 0.5f * depth)); }

struct Cones {
  std::vector<Tap> taps[2 * kAxes];
};

// How much each of the twenty cones from a lattice point is filled, 0..1, as far as nothing of `blocker` is before it.
void look_around(const Lattice& l, const Depths& depths, const Volume* blocker, const Cones& cones, int x, int y, int z,
                 float* filled) {
  for (int d = 0; d < 2 * kAxes; ++d) {
    float met[kMostTaps], open = 1, sum = 0;
    const std::vector<Tap>& taps = cones.taps[d];
    size_t last = 0;  // one past the last step that meets anything: most cones meet nothing, and are done
    for (size_t t = 0; t < taps.size(); ++t) {
      const Tap& tap = taps[t];
      const int i = x + tap.x, j = y + tap.y, k = z + tap.z;
      met[t] = depths.holds(i, j, k) ? depths.blurred[tap.blur][size_t(l.at(i, j, k))] * tap.length : 0.0f;
      if (met[t] > 0) last = t + 1;
    }
    for (size_t t = 0; t < last; ++t) {
      const Tap& tap = taps[t];
      if (met[t] > 0) {
        const float after = dimmed(open, met[t]);
        sum += (open - after) * tap.fade;
        open = after;
      }
      if (blocker && tap.blocks && t + 1 < last) {
        const size_t at = size_t(l.at(x + tap.x, y + tap.y, z + tap.z));
        open = dimmed(open, std::max(0.0f, (*blocker)[at] * tap.length));
      }
    }
    filled[d] = sum;
  }
}

struct Receivers {
  std::vector<int64_t> rows;
  const Volume* own;      // the closed body that they belong to, blurred: it is outside where there is less of it
  const Volume* blocker;  // what stands between them and the occluder, blurred a little
};

// Which of the two sides of a surface is its outside: -1..1 for the side that the normal points to.
float side_of(const Lattice& l, const Volume* own, const Spot& s, const double* normal) {
  if (!own) return 0;
  const int x = s.x + (s.u > 0.5f), y = s.y + (s.v > 0.5f), z = s.z + (s.w > 0.5f);
  if (x < 1 || y < 1 || z < 1 || x + 1 >= l.nx || y + 1 >= l.ny || z + 1 >= l.nz) return 0;
  const Volume& v = *own;
  const float gx = v[size_t(l.at(x + 1, y, z))] - v[size_t(l.at(x - 1, y, z))];
  const float gy = v[size_t(l.at(x, y + 1, z))] - v[size_t(l.at(x, y - 1, z))];
  const float gz = v[size_t(l.at(x, y, z + 1))] - v[size_t(l.at(x, y, z - 1))];
  const float slope = -(gx * float(normal[0]) + gy * float(normal[1]) + gz * float(normal[2]));
  const float most = v[size_t(l.at(x, y, z))] * 0.1f;  // a change of a fifth over two cells leaves no doubt
  return most > 0 ? std::max(-1.0f, std::min(1.0f, slope / most)) : 0;
}

float seen_by(const float (&filled)[2 * kAxes], const Direction (&axes)[kAxes], const double* n, float side) {
  float front = 0, back = 0, weights = 0;
  for (int k = 0; k < kAxes; ++k) {
    const float cosine = float(axes[k].x * n[0] + axes[k].y * n[1] + axes[k].z * n[2]);
    const float weight = std::fabs(cosine);
    const int ahead = 2 * k + (cosine < 0);  // `filled` has an axis' two directions side by side
    front += weight * filled[ahead];
    back += weight * filled[ahead ^ 1];
    weights += weight;
  }
  // Where it is not known which side is outside, it is the one that has the occluder before it.
  const float sure = std::fabs(side), known = side < 0 ? back : front;
  const float sum = sure * known + (1 - sure) * std::max(front, back);
  return weights > 0 ? std::min(1.0f, sum / weights) : 0;
}

void receive(const ContactTask& task, const Lattice& l, const Depths& occluder, const Cones& cones,
             const Receivers& receivers) {
  Direction axes[kAxes];
  axes_of(axes);
  // Lattice points beside a receiver, numbered in their order.
  std::vector<int32_t> number(size_t(l.points()), -1);
  const int64_t count = int64_t(receivers.rows.size());
  std::vector<Spot> spots(static_cast<size_t>(count));
  std::vector<int64_t> points;
  for (int64_t i = 0; i < count; ++i) {
    const float* m = task.means + 3 * receivers.rows[size_t(i)];
    const double p[3] = {m[0], m[1], m[2]};
    spot_of(task, p, spots[size_t(i)]);
    int64_t index[8];
    float share[8];
    corners_of(l, spots[size_t(i)], index, share);
    for (int64_t one : index)
      if (number[size_t(one)] < 0) {
        number[size_t(one)] = int32_t(points.size());
        points.push_back(one);
      }
  }
  std::vector<float> filled(points.size() * 2 * kAxes);
  constexpr int64_t kRun = 512;
  const int64_t there = int64_t(points.size());
  parallel((there + kRun - 1) / kRun, [&](int64_t run) {
    for (int64_t i = run * kRun; i < std::min(there, (run + 1) * kRun); ++i) {
      const int64_t point = points[size_t(i)];
      const int x = int(point % l.nx), y = int(point / l.nx % l.ny), z = int(point / (int64_t(l.nx) * l.ny));
      look_around(l, occluder, receivers.blocker, cones, x, y, z, filled.data() + size_t(i) * 2 * kAxes);
    }
  });
  parallel((count + kRun - 1) / kRun, [&](int64_t run) {
    for (int64_t i = run * kRun; i < std::min(count, (run + 1) * kRun); ++i) {
      const int64_t row = receivers.rows[size_t(i)];
      int64_t index[8];
      float share[8], around[2 * kAxes] = {};
      corners_of(l, spots[size_t(i)], index, share);
      bool any = false;
      for (int k = 0; k < 8; ++k) {
        const float* one = filled.data() + size_t(number[size_t(index[k])]) * 2 * kAxes;
        for (int d = 0; d < 2 * kAxes; ++d) {
          around[d] += share[k] * one[d];
          any |= one[d] > 0;
        }
      }
      if (!any) continue;
      double r[3][3];
      turn_of(task.quats + 4 * row, r);
      const float* s = task.scales + 3 * row;
      const int shortest = s[1] < s[0] ? (s[2] < s[1] ? 2 : 1) : (s[2] < s[0] ? 2 : 0);
      const double normal[3] = {r[0][shortest], r[1][shortest], r[2][shortest]};
      const float side = side_of(l, receivers.own, spots[size_t(i)], normal);
      const float less = (seen_by(around, axes, normal, side) - kFaint) / (1 - kFaint);
      if (less > 0) task.occluded[row] = less;
    }
  });
}

}  // namespace

void contact(const ContactTask& task) {
  const Lattice l{task.size[0], task.size[1], task.size[2]};
  for (int64_t i = 0; i < task.count; ++i) task.occluded[i] = 0;
  Direction axes[kAxes];
  axes_of(axes);
  Cones cones;
  for (int k = 0; k < kAxes; ++k)
    for (int sign = 0; sign < 2; ++sign) {
      const double s = sign ? -1 : 1;
      cones.taps[2 * k + sign] = taps_of({s * axes[k].x, s * axes[k].y, s * axes[k].z}, task.reach / task.cell);
    }
  Volume between(size_t(l.points()));
  Depths own, set;
  parallel(2, [&](int64_t which) {  // each in the order of its rows
    if (which == 0) fill(task, l, 0, task.set_count, set);
    else fill(task, l, task.own_begin, task.own_end, own);
  });
  for (Depths* depths : {&own, &set})
    for (int k = 1; k < kBlurs; ++k) blur(l, kHalfWidths[k], depths->blurred[k - 1], depths->blurred[k], between);
  Receivers of_set{{}, nullptr, &set.blurred[1]}, of_cast{{}, nullptr, nullptr}, of_own{{}, &own.blurred[2], nullptr};
  for (int64_t row = 0; row < task.count; ++row) {
    const float* m = task.means + 3 * row;
    const double p[3] = {m[0], m[1], m[2]};
    Spot spot;
    if (!(task.opacities[row] > 0) || !spot_of(task, p, spot)) continue;
    const bool is_own = row >= task.own_begin && row < task.own_end;
    const Depths& occluder = is_own ? set : own;
    if (!occluder.can_meet(spot.x, spot.y, spot.z)) continue;
    (row < task.set_count ? of_set : is_own ? of_own : of_cast).rows.push_back(row);
  }
  receive(task, l, own, cones, of_set);
  receive(task, l, own, cones, of_cast);
  receive(task, l, set, cones, of_own);
}

}  // namespace splatfilm
