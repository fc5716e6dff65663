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
constexpr int kTail = 1;               // cells beyond its reach from which an occluder, blurred, may still be seen
constexpr int kStep = 16;             // cells that windows are rounded out to
constexpr size_t kMostWindows = 3;
constexpr int64_t kRun = 512;  // splats or points that one task takes; results do not depend on it

struct Direction {
  float x, y, z;
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
  uint32_t ahead[3][2] = {};  // which of them lead up an axis, and down

  explicit Cones(double reach) {  // in cells
    const double g = (1 + std::sqrt(5.0)) / 2, n = 1 / std::sqrt(3.0);
    int k = 0;
    for (int i = 0; i < 4; ++i) axes[k++] = {float(n), float(i & 1 ? -n : n), float(i & 2 ? -n : n)};
    for (int i = 0; i < 2; ++i) {
      const float s = float((i ? -g : g) * n), t = float(n / g);
      axes[k++] = {0, t, s};
      axes[k++] = {t, s, 0};
      axes[k++] = {s, 0, t};
    }
    for (k = 0; k < 2 * kAxes; ++k) {
      const float sign = k & 1 ? -1.0f : 1.0f;
      const Direction& d = axes[k / 2];
      taps[k] = taps_of({sign * d.x, sign * d.y, sign * d.z}, reach);
      const float along[3] = {sign * d.x, sign * d.y, sign * d.z};
      for (int axis = 0; axis < 3; ++axis) ahead[axis][along[axis] < 0] |= uint32_t(std::fabs(along[axis]) > 1e-6f) << k;
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

// Which cones from a cell can reach a box: a bit for each. Those that lead away from it cannot.
uint32_t towards(const Box& box, const Cones& cones, int64_t x, int64_t y, int64_t z) {
  const int64_t at[3] = {x, y, z};
  uint32_t able = (1u << 2 * kAxes) - 1;
  for (int k = 0; k < 3; ++k) {
    if (at[k] + 1 < box.low[k]) able &= cones.ahead[k][0];
    if (at[k] - 1 >= box.low[k] + box.size[k]) able &= cones.ahead[k][1];
  }
  return able;
}

// What the cones from a place meet; `cell_of(tap, cell)` says where a step of one lies, counted from the first cell of
// `depths`. Nothing of `blocker`, where there is one, is before it. Whether anything was met.
template <typename Place>
bool look_around(const Depths& depths, const Depths* blocker, const Cones& cones, uint32_t able, const Place& cell_of,
                 Filled& filled) {
  const Box& box = depths.box();
  const int nx = box.size[0], ny = box.size[1], nz = box.size[2];
  int64_t away[3] = {0, 0, 0};  // from the first cell of the blocker
  if (blocker)
    for (int k = 0; k < 3; ++k) away[k] = box.low[k] - blocker->box().low[k];
  bool any = false;
  for (int d = 0; d < 2 * kAxes; ++d) {
    filled[d] = 0;
    if (!(able >> d & 1)) continue;
    float met[kMostTaps], open = 1, sum = 0;
    int cells[kMostTaps][3];
    const std::vector<Tap>& taps = cones.taps[d];
    size_t last = 0;  // one past the last step that meets anything: most cones meet nothing, and are done
    for (size_t t = 0; t < taps.size(); ++t) {
      cell_of(taps[t], cells[t]);
      const int x = cells[t][0], y = cells[t][1], z = cells[t][2];
      const bool inside = unsigned(x) < unsigned(nx) && unsigned(y) < unsigned(ny) && unsigned(z) < unsigned(nz);
      const int32_t depth = inside ? depths.blurred(taps[t].width)[(int64_t(z) * ny + y) * nx + x] : 0;
      met[t] = float(depth) * taps[t].length;
      if (depth) last = t + 1;
    }
    if (!last) continue;
    for (size_t t = 0; t < last; ++t) {
      const Tap& tap = taps[t];
      if (met[t] > 0) {
        const float after = dimmed(open, met[t]);
        sum += (open - after) * tap.fade;
        open = after;
      }
      if (!blocker || !tap.blocks || t + 1 == last) continue;
      const Box& whole = blocker->box();
      const int64_t x = cells[t][0] + away[0], y = cells[t][1] + away[1], z = cells[t][2] + away[2];
      if (uint64_t(x) < uint64_t(whole.size[0]) && uint64_t(y) < uint64_t(whole.size[1]) && uint64_t(z) < uint64_t(whole.size[2]))
        open = dimmed(open, float(blocker->blurred(1)[(z * whole.size[1] + y) * whole.size[0] + x]) * tap.length);
    }
    filled[d] = sum;
    any |= sum > 0;
  }
  return any;
}

// Which of the two sides of a surface is its outside: -1..1 for the side that the normal points to. `own` is the closed
// body that the surface belongs to: it is outside where there is less of it.
float side_of(const Depths& own, const Spot& s, const float (&normal)[3]) {
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
float missing(const Filled& filled, const Direction (&axes)[kAxes], const float (&n)[3], float side) {
  float front = 0, back = 0, weights = 0;
  for (int k = 0; k < kAxes; ++k) {
    const float cosine = axes[k].x * n[0] + axes[k].y * n[1] + axes[k].z * n[2];
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
void normal_of(const SplatArrays& splats, int64_t row, float (&normal)[3]) {
  float r[3][3];
  turn_of(splats.quats + 4 * row, r);
  const float* s = splats.scales + 3 * row;
  const int shortest = s[1] < s[0] ? (s[2] < s[1] ? 2 : 1) : (s[2] < s[0] ? 2 : 0);
  for (int k = 0; k < 3; ++k) normal[k] = r[k][shortest];
}

Spot spot_at(const SplatArrays& splats, int64_t row, double cell) {
  return spot_of(splats.means + 3 * row, 1 / cell);
}

// What lattice points see, each found once.
class Field {
 public:
  // Forgets everything; the memory is used again.
  void clear(const Box& box) {
    box_ = box;
    number_.assign(size_t(box.cells()), -1);
    any_.clear();
    filled_.clear();
  }

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
  Box box_{{0, 0, 0}, {0, 0, 0}};
  std::vector<int32_t> number_;
  std::vector<uint8_t> any_;
  std::vector<float> filled_;
};

constexpr float kAbove = 2048;  // makes whatever is rounded positive

auto around(const Box& box, const Spot& s) {  // steps of a cone from where a splat is
  const float x = float(s.x - box.low[0]) + s.u + (kAbove + 0.5f), y = float(s.y - box.low[1]) + s.v + (kAbove + 0.5f),
              z = float(s.z - box.low[2]) + s.w + (kAbove + 0.5f);
  return [=](const Tap& tap, int (&cell)[3]) {
    cell[0] = int(x + tap.x) - int(kAbove);
    cell[1] = int(y + tap.y) - int(kAbove);
    cell[2] = int(z + tap.z) - int(kAbove);
  };
}

auto around(const Box& box, int64_t x, int64_t y, int64_t z) {  // from a lattice point
  const int i = int(x - box.low[0]), j = int(y - box.low[1]), k = int(z - box.low[2]);
  return [=](const Tap& tap, int (&cell)[3]) {
    cell[0] = i + tap.i;
    cell[1] = j + tap.j;
    cell[2] = k + tap.k;
  };
}

}  // namespace

// A part of the lattice: what of the set is there, which of its splats, and what was seen from its points.
struct Surroundings::Window {
  struct Receiver {
    int64_t row;
    Spot spot;
    float normal[3];
  };

  Box box;
  double cell = 0, reach = 0;
  Cones cones{1};
  Depths set;
  std::vector<Receiver> receivers;
  Field field;

  void look_at(const SplatArrays& splats, int64_t count, const Box& where, double a_cell, double a_reach) {
    box = where, cell = a_cell, reach = a_reach;
    cones = Cones(reach / cell);
    set.fill(splats, 0, count, where, cell);
    set.mark_near(box, int(std::ceil(reach / cell)) + kTail);
    field.clear(box);
    receivers.clear();
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
      count_(count), own_(std::make_unique<Depths>()), busy_(std::make_unique<std::mutex>()) {}

Surroundings::~Surroundings() = default;

Surroundings::Window& Surroundings::window(const Box& wanted, double cell, double reach) {
  for (size_t i = 0; i < windows_.size(); ++i)
    if (windows_[i]->cell == cell && windows_[i]->reach == reach && windows_[i]->box.holds(wanted)) {
      std::rotate(windows_.begin(), windows_.begin() + long(i), windows_.begin() + long(i) + 1);
      return *windows_.front();
    }
  if (windows_.size() < kMostWindows) windows_.push_back(std::make_unique<Window>());
  std::rotate(windows_.begin(), windows_.end() - 1, windows_.end());
  windows_.front()->look_at(splats_, count_, rounded(wanted, kStep), cell, reach);
  return *windows_.front();
}

Lost Surroundings::contact(const ContactTask& task) {
  const std::lock_guard<std::mutex> alone(*busy_);
  const int far = int(std::ceil(task.reach / task.cell)) + kTail;
  const Box within = grown(task.solid, far);  // of everything that takes part
  Window& there = window(grown(within, 1), task.cell, task.reach);
  Depths& own = *own_;
  own.fill(task.cast, task.begin, task.end, task.solid, task.cell);
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
      if (look_around(own, &there.set, there.cones, towards(own.box(), there.cones, one.spot.x, one.spot.y, one.spot.z),
                      around(own.box(), one.spot), filled))
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
    return look_around(there.set, nullptr, there.cones, ~0u, around(there.set.box(), x, y, z), filled);
  });
  Field of_own;
  if (!spots[0].empty()) of_own.clear(grown(within, 1));
  of_own.fill(spots[0], [&](int64_t x, int64_t y, int64_t z, Filled& filled) {
    return look_around(own, nullptr, there.cones, towards(own.box(), there.cones, x, y, z), around(own.box(), x, y, z), filled);
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
        float normal[3];
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
