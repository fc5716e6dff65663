// Ambient occlusion between the cast and the set, in the space of the scene.
//
// Splats become the optical depth of a lattice of cells. Twenty cones look around (C. Crassin et al., "Interactive
// indirect illumination using voxel cone tracing", Pacific Graphics 2011): what they meet is looked up in copies of the
// lattice that were blurred as widely as the cone is there. Splats of the set, which stand still, look around from where
// they are. Those of the cast blend what the eight lattice points around them see, so that nothing flickers as they move;
// what a lattice point sees of the set is found once. A splat weighs the directions by the cosine to its normal, and so
// gets how much light is missing.
#include "contact.h"

#include <algorithm>
#include <cmath>

#include "pool.h"

namespace splatfilm {
namespace {

constexpr int kAxes = 10;            // directions come in opposite pairs: the twenty corners of a dodecahedron
constexpr double kFirst = 1.0;       // cells: what is nearer than this is the surface itself
constexpr double kOwnSurface = 2.5;  // cells: from here on the set may stand between a splat of its own and the cast
constexpr double kRatio = 1.45;      // of one step along a cone to the one before
constexpr size_t kMostTaps = 32;     // steps of a cone: those of a reach of 400 000 cells
constexpr float kFaint = 1.0f / 256;  // less than this is nothing, so that what is far away keeps its bits
constexpr int kStep = 16;             // cells that windows are rounded out to
constexpr size_t kMostWindows = 4;
constexpr int64_t kRun = 512;  // splats or points that one task takes; results do not depend on it

struct Direction {
  double x, y, z;
};

struct Tap {
  float x, y, z;  // cells from the point
  int i, j, k;    // the same, to the nearest cell
  int width;      // which copy is wide enough
  bool blocks;    // far enough from the surface that what is here is something else
  float length;   // cells that this step stands for, times the unit of depth
  float fade;     // what an occluder counts here
};

using Filled = float[2 * kAxes];  // how much of each cone is filled, 0..1; an axis' two directions side by side

struct Cones {
  Direction axes[kAxes];
  std::vector<Tap> taps[2 * kAxes];

  explicit Cones(double reach) {  // in cells
    const double g = (1 + std::sqrt(5.0)) / 2, n = 1 / std::sqrt(3.0);
    int k = 0;
    for (int i = 0; i < 4; ++i) axes[k++] = {n, i & 1 ? -n : n, i & 2 ? -n : n};
    for (int i = 0; i < 2; ++i) {
      const double s = (i ? -g : g) * n, t = n / g;
      axes[k++] = {0, t, s};
      axes[k++] = {t, s, 0};
      axes[k++] = {s, 0, t};
    }
    for (k = 0; k < 2 * kAxes; ++k) {
      const double sign = k & 1 ? -1 : 1;
      const Direction& d = axes[k / 2];
      taps[k] = taps_of({sign * d.x, sign * d.y, sign * d.z}, reach);
    }
  }

  static std::vector<Tap> taps_of(const Direction& d, double reach) {
    std::vector<Tap> taps;
    double begin = kFirst;
    while (begin < reach && taps.size() < kMostTaps) {
      const double end = std::min(begin * kRatio + 0.3, reach), t = 0.5 * (begin + end), left = 1 - t / reach;
      const int width = t < 2.2 ? 0 : t < 4.5 ? 1 : t < 9 ? 2 : 3;
      taps.push_back({float(d.x * t), float(d.y * t), float(d.z * t), int(std::lround(d.x * t)), int(std::lround(d.y * t)),
                      int(std::lround(d.z * t)), width, t > kOwnSurface, float(end - begin) * kUnit, float(left * (2 - left))});
      begin = end;
    }
    return taps;
  }
};

// exp(-depth) of the light, without a library's last bit.
float dimmed(float light, float depth) { return light / (1 + depth * (1 + 0.5f * depth)); }

// What the cones from a place meet; `cell_of(tap)` is where a step of one lies. Nothing of `blocker`, where there is one,
// is before it. Whether anything was met.
template <typename Place>
bool look_around(const Depths& depths, const Depths* blocker, const Cones& cones, const Place& cell_of, Filled& filled) {
  const Box& box = depths.box();
  bool any = false;
  for (int d = 0; d < 2 * kAxes; ++d) {
    float met[kMostTaps], open = 1, sum = 0;
    int64_t cells[kMostTaps][3];
    const std::vector<Tap>& taps = cones.taps[d];
    size_t last = 0;  // one past the last step that meets anything: most cones meet nothing, and are done
    for (size_t t = 0; t < taps.size(); ++t) {
      cell_of(taps[t], cells[t]);
      const auto& [x, y, z] = cells[t];
      const int32_t depth = box.holds(x, y, z) ? depths.blurred(taps[t].width)[box.at(x, y, z)] : 0;
      met[t] = float(depth) * taps[t].length;
      if (depth) last = t + 1;
    }
    for (size_t t = 0; t < last; ++t) {
      const Tap& tap = taps[t];
      if (met[t] > 0) {
        const float after = dimmed(open, met[t]);
        sum += (open - after) * tap.fade;
        open = after;
      }
      const auto& [x, y, z] = cells[t];
      if (blocker && tap.blocks && t + 1 < last && blocker->box().holds(x, y, z))
        open = dimmed(open, float(blocker->blurred(1)[blocker->box().at(x, y, z)]) * tap.length);
    }
    filled[d] = sum;
    any |= sum > 0;
  }
  return any;
}

// Which of the two sides of a surface is its outside: -1..1 for the side that the normal points to. `own` is the closed
// body that the surface belongs to: it is outside where there is less of it.
float side_of(const Depths& own, const Spot& s, const double (&normal)[3]) {
  const Box& box = own.box();
  const int64_t x = s.x + (s.u > 0.5f), y = s.y + (s.v > 0.5f), z = s.z + (s.w > 0.5f);
  if (!box.holds(x - 1, y - 1, z - 1) || !box.holds(x + 1, y + 1, z + 1)) return 0;
  const int32_t* v = own.blurred(2) + box.at(x, y, z);
  const int64_t row = box.size[0], plane = row * box.size[1];
  const float gx = float(v[1] - v[-1]), gy = float(v[row] - v[-row]), gz = float(v[plane] - v[-plane]);
  const float slope = -(gx * float(normal[0]) + gy * float(normal[1]) + gz * float(normal[2]));
  const float most = float(v[0]) * 0.1f;  // a change of a fifth over two cells leaves no doubt
  return most > 0 ? std::max(-1.0f, std::min(1.0f, slope / most)) : 0;
}

// The share of the light that a surface misses.
float missing(const Filled& filled, const Direction (&axes)[kAxes], const double (&n)[3], float side) {
  float front = 0, back = 0, weights = 0;
  for (int k = 0; k < kAxes; ++k) {
    const float cosine = float(axes[k].x * n[0] + axes[k].y * n[1] + axes[k].z * n[2]);
    const float weight = std::fabs(cosine);
    const int ahead = 2 * k + (cosine < 0);
    front += weight * filled[ahead];
    back += weight * filled[ahead ^ 1];
    weights += weight;
  }
  // Where it is not known which side is outside, it is the one that has the occluder before it.
  const float sure = std::fabs(side), known = side < 0 ? back : front;
  const float sum = sure * known + (1 - sure) * std::max(front, back);
  const float seen = weights > 0 ? std::min(1.0f, sum / weights) : 0;
  return std::max(0.0f, (seen - kFaint) / (1 - kFaint));
}

// Along the shortest axis, either way.
void normal_of(const SplatArrays& splats, int64_t row, double (&normal)[3]) {
  double r[3][3];
  turn_of(splats.quats + 4 * row, r);
  const float* s = splats.scales + 3 * row;
  const int shortest = s[1] < s[0] ? (s[2] < s[1] ? 2 : 1) : (s[2] < s[0] ? 2 : 0);
  for (int k = 0; k < 3; ++k) normal[k] = r[k][shortest];
}

Spot spot_at(const SplatArrays& splats, int64_t row, double cell) {
  const float* m = splats.means + 3 * row;
  return spot_of({m[0], m[1], m[2]}, cell);
}

// What lattice points see, each found once.
class Field {
 public:
  explicit Field(const Box& box) : box_(box), number_(size_t(box.cells()), -1) {}

  // Looks around from the points beside all spots that have not been looked from yet.
  template <typename Look>
  void fill(const std::vector<Spot>& spots, const Look& look) {
    std::vector<int64_t> fresh;
    for (const Spot& s : spots)
      for (int k = 0; k < 8; ++k) {
        int32_t& number = number_[size_t(box_.at(s.x + (k & 1), s.y + (k >> 1 & 1), s.z + (k >> 2)))];
        if (number >= 0) continue;
        number = int32_t(any_.size() + fresh.size());
        fresh.push_back(&number - number_.data());
      }
    const size_t known = any_.size();
    any_.resize(known + fresh.size());
    filled_.resize(any_.size() * 2 * kAxes);
    const int64_t count = int64_t(fresh.size()), row = box_.size[0], plane = row * box_.size[1];
    parallel((count + kRun - 1) / kRun, [&](int64_t run) {
      for (int64_t i = run * kRun; i < std::min(count, (run + 1) * kRun); ++i) {
        const int64_t p = fresh[size_t(i)];
        Filled filled;
        const size_t at = known + size_t(i);
        any_[at] = look(p % row + box_.low[0], p / row % box_.size[1] + box_.low[1], p / plane + box_.low[2], filled);
        std::copy(filled, filled + 2 * kAxes, filled_.data() + at * 2 * kAxes);
      }
    });
  }

  // What is seen from a spot between points that were looked from; whether it is anything.
  bool blend(const Spot& s, Filled& around) const {
    bool any = false;
    std::fill(around, around + 2 * kAxes, 0.0f);
    for (int k = 0; k < 8; ++k) {
      const int i = k & 1, j = k >> 1 & 1, m = k >> 2;
      const size_t number = size_t(number_[size_t(box_.at(s.x + i, s.y + j, s.z + m))]);
      if (!any_[number]) continue;
      any = true;
      const float share = (i ? s.u : 1 - s.u) * (j ? s.v : 1 - s.v) * (m ? s.w : 1 - s.w);
      const float* one = filled_.data() + number * 2 * kAxes;
      for (int d = 0; d < 2 * kAxes; ++d) around[d] += share * one[d];
    }
    return any;
  }

 private:
  Box box_;
  std::vector<int32_t> number_;
  std::vector<uint8_t> any_;
  std::vector<float> filled_;
};

auto around(const Spot& s) {  // steps of a cone from where a splat is
  const float x = float(s.u) + 0.5f, y = float(s.v) + 0.5f, z = float(s.w) + 0.5f;
  return [=](const Tap& tap, int64_t (&cell)[3]) {
    cell[0] = s.x + int64_t(std::floor(x + tap.x));
    cell[1] = s.y + int64_t(std::floor(y + tap.y));
    cell[2] = s.z + int64_t(std::floor(z + tap.z));
  };
}

auto around(int64_t x, int64_t y, int64_t z) {  // from a lattice point
  return [=](const Tap& tap, int64_t (&cell)[3]) {
    cell[0] = x + tap.i;
    cell[1] = y + tap.j;
    cell[2] = z + tap.k;
  };
}

}  // namespace

// A part of the lattice: what of the set is there, which of its splats, and what was seen from its points.
struct Surroundings::Window {
  struct Receiver {
    int64_t row;
    Spot spot;
    double normal[3];
  };

  Box box;
  double cell, reach;
  Cones cones;
  Depths set;
  std::vector<Receiver> receivers;
  Field field;

  Window(const SplatArrays& splats, int64_t count, const Box& where, double a_cell, double a_reach)
      : box(where), cell(a_cell), reach(a_reach), cones(a_reach / a_cell), set(splats, 0, count, where, a_cell), field(where) {
    set.mark_near(box, int(std::ceil(reach / cell)) + 1);
    for (int64_t row = 0; row < count; ++row) {
      const Spot spot = spot_at(splats, row, cell);
      if (!(splats.opacities[row] > 0) || !box.holds(spot.x, spot.y, spot.z)) continue;
      receivers.push_back({row, spot, {}});
      normal_of(splats, row, receivers.back().normal);
    }
  }
};

Surroundings::Surroundings(const float* means, const float* quats, const float* scales, const float* opacities, int64_t count)
    : means_(means, means + 3 * count), quats_(quats, quats + 4 * count), scales_(scales, scales + 3 * count),
      opacities_(opacities, opacities + count), splats_{means_.data(), quats_.data(), scales_.data(), opacities_.data()},
      count_(count) {}

Surroundings::~Surroundings() = default;

Surroundings::Window& Surroundings::window(const Box& wanted, double cell, double reach) {
  for (size_t i = 0; i < windows_.size(); ++i)
    if (windows_[i]->cell == cell && windows_[i]->reach == reach && windows_[i]->box.holds(wanted)) {
      std::rotate(windows_.begin(), windows_.begin() + long(i), windows_.begin() + long(i) + 1);
      return *windows_.front();
    }
  windows_.insert(windows_.begin(), std::make_unique<Window>(splats_, count_, rounded(wanted, kStep), cell, reach));
  if (windows_.size() > kMostWindows) windows_.pop_back();
  return *windows_.front();
}

Lost Surroundings::contact(const ContactTask& task) {
  const int far = int(std::ceil(task.reach / task.cell)) + 1;
  const Box within = grown(task.solid, far + 1);  // of everything that takes part
  Window& there = window(grown(within, 1), task.cell, task.reach);
  Depths own(task.cast, task.begin, task.end, task.solid, task.cell);
  own.mark_near(within, far);

  std::vector<const Window::Receiver*> of_set;
  for (const Window::Receiver& one : there.receivers)
    if (own.near(one.spot.x, one.spot.y, one.spot.z)) of_set.push_back(&one);
  const int64_t set_count = int64_t(of_set.size());
  std::vector<float> set_lost(of_set.size());
  parallel((set_count + kRun - 1) / kRun, [&](int64_t run) {
    for (int64_t i = run * kRun; i < std::min(set_count, (run + 1) * kRun); ++i) {
      const Window::Receiver& one = *of_set[size_t(i)];
      Filled filled;
      if (look_around(own, &there.set, there.cones, around(one.spot), filled))
        set_lost[size_t(i)] = missing(filled, there.cones.axes, one.normal, 0);
    }
  });

  // Of the cast: its own surface is shaded by the set, that of the others by it.
  std::vector<int64_t> rows[2];
  std::vector<Spot> spots[2];
  for (int64_t row = 0; row < task.count; ++row) {
    if (!(task.cast.opacities[row] > 0)) continue;
    const Spot s = spot_at(task.cast, row, task.cell);
    const bool is_own = row >= task.begin && row < task.end;
    if (is_own ? !task.solid.holds(s.x, s.y, s.z) || !there.set.near(s.x, s.y, s.z) : !own.near(s.x, s.y, s.z)) continue;
    rows[is_own].push_back(row);
    spots[is_own].push_back(s);
  }
  there.field.fill(spots[1], [&](int64_t x, int64_t y, int64_t z, Filled& filled) {
    return look_around(there.set, nullptr, there.cones, around(x, y, z), filled);
  });
  Field of_own(spots[0].empty() ? Box{{0, 0, 0}, {0, 0, 0}} : grown(within, 1));
  of_own.fill(spots[0], [&](int64_t x, int64_t y, int64_t z, Filled& filled) {
    return look_around(own, nullptr, there.cones, around(x, y, z), filled);
  });
  std::vector<float> cast_lost(size_t(task.count), 0.0f);
  for (int is_own = 0; is_own < 2; ++is_own) {
    const Field& field = is_own ? there.field : of_own;
    const int64_t count = int64_t(rows[is_own].size());
    parallel((count + kRun - 1) / kRun, [&](int64_t run) {
      for (int64_t i = run * kRun; i < std::min(count, (run + 1) * kRun); ++i) {
        const int64_t row = rows[is_own][size_t(i)];
        const Spot& spot = spots[is_own][size_t(i)];
        Filled filled;
        if (!field.blend(spot, filled)) continue;
        double normal[3];
        normal_of(task.cast, row, normal);
        const float side = is_own ? side_of(own, spot, normal) : 0;
        cast_lost[size_t(row)] = missing(filled, there.cones.axes, normal, side);
      }
    });
  }

  Lost lost;
  const auto keep = [&](int64_t row, float share) {
    if (!(share > 0)) return;
    lost.rows.push_back(row);
    lost.shares.push_back(share);
  };
  for (int64_t i = 0; i < set_count; ++i) keep(of_set[size_t(i)]->row, set_lost[size_t(i)]);
  for (int64_t row = 0; row < task.count; ++row) keep(count_ + row, cast_lost[size_t(row)]);
  return lost;
}

}  // namespace splatfilm
