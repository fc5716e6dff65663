// Ambient occlusion between the cast and the set, in the space of the scene.
//
// Splats become the optical depth of a lattice of cells. Twenty cones look around. Splats of the set, which stand still,
// look around from where they are, neighbours that face one way as one, and what of the set is between them and the cells
// about them is found once. Those of the cast blend what the eight lattice points around them see, so that nothing flickers
// as they move: what a point sees, as second-order spherical harmonics convolved with the cosine (R. Ramamoorthi,
// P. Hanrahan, SIGGRAPH 2001), so that a splat asks it with its normal how much light is missing. What a lattice point sees
// of the set is found once.
#include "contact.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "kernels.h"
#include "pool.h"

namespace splatfilm {
namespace {

constexpr int kTail = 1;               // cells beyond its reach from which an occluder, blurred, may still be seen
constexpr int kStep = 16;             // cells that windows are rounded out to
constexpr size_t kMostWindows = 8;
constexpr int kAround = 32;            // cells beyond most of a set that somebody may still reach to
constexpr int64_t kMostCells = 1 << 23;  // of a window that holds most of a set
constexpr double kStrays = 0.02;         // share of a set's splats at either end of an axis that windows may leave out
constexpr int64_t kRun = 512;            // splats that one task takes; results do not depend on it
constexpr int64_t kGroupRun = 16;        // groups of sixteen that one task takes
constexpr float kPast = 1.0f / 256;
constexpr int64_t kAhead = 12;           // splats that memory is asked for before they are needed
constexpr int kTogether = int(2 * kAside);  // cells along a side of what is looked around from at one time
constexpr int kPatchBits = 3, kPatchesTogether = 1 << kPatchBits;  // along that side: within one, splats share a shadow
constexpr int kLight = 12;               // floats of a lattice point: nine are in use

float shown(float seen) { return std::max(0.0f, (std::min(1.0f, seen) - kFaint) / (1 - kFaint)); }

// Where it is not known which side is outside, it is the one that has the occluder before it.
float missing(float front, float back, float side) {
  const float sure = std::fabs(side), known = side < 0 ? back : front;
  return shown(sure * known + (1 - sure) * std::max(front, back));
}

// Which cones from somewhere in a box can reach another: a bit for each. Those that lead away from it cannot.
uint32_t towards(const Box& box, const Cones& cones, const Box& from) {
  uint32_t able = (1u << kCones) - 1;
  for (int k = 0; k < 3; ++k) {
    if (from.low[k] + from.size[k] < box.low[k]) able &= cones.ahead[k][0];
    if (from.low[k] - 1 >= box.low[k] + box.size[k]) able &= cones.ahead[k][1];
  }
  return able;
}

// The middle of places; whether none is too far from it.
bool close_by(const float (&at)[3][kLanes], float (&middle)[3]) {
  for (int k = 0; k < 3; ++k) {
    const auto [low, high] = std::minmax_element(at[k], at[k] + kLanes);
    middle[k] = 0.5f * (*low + *high);
    if (*high - *low > 2 * kAside) return false;
  }
  return true;
}

LookTask looking(const Depths& depths, const Cones& cones) {
  const Box& box = depths.box();
  LookTask task{};
  for (int width = 0; width < kBlurs; ++width) task.copies[width] = depths.blurred(width);
  task.nx = box.size[0], task.ny = box.size[1], task.nz = box.size[2];
  task.cones = &cones;
  task.filled_blocks = depths.filled_blocks();
  for (int k = 0; k < 3; ++k) task.blocks[k] = depths.filled_size()[k];
  return task;
}

// A splat's shortest axis: a column of its rotation.
void normal_of(const SplatArrays& splats, int64_t row, float (&n)[3]) {
  const float *q = splats.quats + 4 * row, *s = splats.scales + 3 * row;
  const int shortest = s[2] <= std::min(s[0], s[1]) ? 2 : int(s[1] < s[0]), next = shortest == 2 ? 0 : shortest + 1;
  const int after = 3 - shortest - next;
  const float w = q[0], *v = q + 1, two = 2 / std::max(w * w + v[0] * v[0] + v[1] * v[1] + v[2] * v[2], 1e-30f);
  n[shortest] = 1 - two * (v[next] * v[next] + v[after] * v[after]);
  n[next] = two * (v[shortest] * v[next] + w * v[after]);
  n[after] = two * (v[shortest] * v[after] - w * v[next]);
}

Spot spot_at(const SplatArrays& splats, int64_t row, double cell) { return spot_of(splats.means + 3 * row, 1 / cell); }

// The axis that a normal is nearest to.
int facing_of(const float (&n)[3]) {
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

// Which of the two sides of a surface is its outside: -1..1 for the side that the normal points to. `own` is the closed
// body that the surface belongs to: it is outside where there is less of it.
float side_of(const Depths& own, const Spot& s, const float (&normal)[3]) {
  const Box& box = own.box();
  const int64_t x = s.x + (s.u > 0.5f), y = s.y + (s.v > 0.5f), z = s.z + (s.w > 0.5f);
  if (!box.holds(x - 1, y - 1, z - 1) || !box.holds(x + 1, y + 1, z + 1)) return 0;
  const int32_t* v = own.blurred(2) + box.at(x, y, z);
  const int64_t row = box.size[0], plane = row * box.size[1];
  const float gx = float(v[1] - v[-1]), gy = float(v[row] - v[-row]), gz = float(v[plane] - v[-plane]);
  const float slope = -(gx * normal[0] + gy * normal[1] + gz * normal[2]);
  const float most = float(v[0]) * 0.1f;  // a change of a fifth over two cells leaves no doubt
  return most > 0 ? std::max(-1.0f, std::min(1.0f, slope / most)) : 0;
}

// From how much of each cone is filled to what is missing of the light for a normal n, as `towards_normal` has it.
struct Projection {
  float share[kCones][kLight] = {};

  Projection() {
    const Cones cones(2);
    const double pi = 3.14159265358979323846, a0 = pi, a1 = 2 * pi / 3, a2 = pi / 4, even = 5;  // the cosines' sum
    for (int d = 0; d < kCones; ++d) {
      const double sign = d & 1 ? -1 : 1;
      const double x = sign * cones.axes[d / 2][0], y = sign * cones.axes[d / 2][1], z = sign * cones.axes[d / 2][2];
      const double c0 = 0.282095 * 0.282095, c1 = 0.488603 * 0.488603, c2 = 1.092548 * 1.092548, c3 = 0.315392 * 0.315392,
                   c4 = 0.546274 * 0.546274;
      const double own[9] = {a0 * c0, a1 * c1 * y, a1 * c1 * z, a1 * c1 * x, a2 * c2 * x * y, a2 * c2 * y * z,
                             a2 * c3 * (3 * z * z - 1), a2 * c2 * x * z, a2 * c4 * (x * x - y * y)};
      for (int k = 0; k < 9; ++k) share[d][k] = float(own[k] / even);
    }
  }
};

const Projection& projection() {
  static const Projection one;
  return one;
}

// What is missing before and behind a surface, of light as a lattice point has it.
void towards_normal(const float (&light)[kLight], const float (&n)[3], float& front, float& back) {
  const float x = n[0], y = n[1], z = n[2];
  const float even = light[0] + light[4] * (x * y) + light[5] * (y * z) + light[6] * (3 * z * z - 1) + light[7] * (x * z) +
                     light[8] * (x * x - y * y);
  const float odd = light[1] * y + light[2] * z + light[3] * x;
  front = std::max(0.0f, even + odd);
  back = std::max(0.0f, even - odd);
}

// What points `spacing` cells apart see, each found once.
class Field {
 public:
  explicit Field(int spacing) : spacing_(spacing) {}

  // Forgets everything; the memory is used again. `box` counts points.
  void clear(const Box& box) {
    box_ = box;
    number_.assign(size_t(box.cells()), -1);
    state_.assign(size_t(box.cells()), kUnknown);
    light_.clear();
  }

  // Looks around from the points beside all spots that have not been looked from yet.
  void fill(const std::vector<Spot>& spots, const Depths& depths, const Cones& cones) {
    std::vector<int64_t> fresh, cells;
    for (const Spot& s : spots) {
      const int64_t cell = box_.at(s.x, s.y, s.z);
      if (state_[size_t(cell)] != kUnknown) continue;
      state_[size_t(cell)] = kQuiet;
      cells.push_back(cell);
      for (int k = 0; k < 8; ++k) {
        int32_t& number = number_[size_t(cell + beside(k))];
        if (number >= 0) continue;
        number = int32_t(light_.size() / kLight + fresh.size());
        fresh.push_back(&number - number_.data());
      }
    }
    look(fresh, depths, cones);
    for (int64_t cell : cells)
      for (int k = 0; k < 8; ++k)
        if (light_[size_t(number_[size_t(cell + beside(k))]) * kLight] > 0) state_[size_t(cell)] = kSomething;
  }

  bool sees_anything(const Spot& s) const { return state_[size_t(box_.at(s.x, s.y, s.z))] == kSomething; }

  // Asks for what will be read of a spot.
  void fetch(const Spot& s) const {
    const int64_t cell = box_.at(s.x, s.y, s.z);
    __builtin_prefetch(state_.data() + cell);
    for (int k = 0; k < 8; k += 2) __builtin_prefetch(number_.data() + cell + beside(k));
  }

  // What is seen from a spot between points that were looked from.
  void blend(const Spot& s, float (&around)[kLight]) const {
    const int64_t cell = box_.at(s.x, s.y, s.z);
    std::fill(around, around + kLight, 0.0f);
    for (int k = 0; k < 8; ++k) {
      const float share = (k & 1 ? s.u : 1 - s.u) * (k >> 1 & 1 ? s.v : 1 - s.v) * (k >> 2 ? s.w : 1 - s.w);
      const float* one = light_.data() + size_t(number_[size_t(cell + beside(k))]) * kLight;
      for (int c = 0; c < kLight; ++c) around[c] += share * one[c];
    }
  }

 private:
  enum State : uint8_t { kUnknown, kQuiet, kSomething };

  int64_t beside(int corner) const {
    return (corner & 1) + (corner >> 1 & 1) * int64_t(box_.size[0]) + (corner >> 2) * int64_t(box_.size[0]) * box_.size[1];
  }

  void look(const std::vector<int64_t>& fresh, const Depths& depths, const Cones& cones) {
    const size_t known = light_.size() / kLight;
    light_.resize((known + fresh.size()) * kLight);
    const int64_t count = int64_t(fresh.size()), groups = (count + kLanes - 1) / kLanes, row = box_.size[0],
                  plane = row * box_.size[1];
    parallel((groups + kGroupRun - 1) / kGroupRun, [&](int64_t run) {
      for (int64_t g = run * kGroupRun; g < std::min(groups, (run + 1) * kGroupRun); ++g) {
        float at[3][kLanes], filled[kCones][kLanes], middle[3];
        for (int i = 0; i < kLanes; ++i) {
          const int64_t p = fresh[size_t(std::min(count - 1, g * kLanes + i))];
          const int64_t whole[3] = {(p % row + box_.low[0]) * spacing_, (p / row % box_.size[1] + box_.low[1]) * spacing_,
                                    (p / plane + box_.low[2]) * spacing_};
          for (int k = 0; k < 3; ++k) at[k][i] = float(whole[k] - depths.box().low[k]) + 0.5f;
        }
        LookTask task = looking(depths, cones);
        task.able = (1u << kCones) - 1, task.x = at[0], task.y = at[1], task.z = at[2];
        task.middle = close_by(at, middle) ? middle : nullptr;
        if (!kernels().look_around(task, filled[0])) continue;
        for (int i = 0; i < kLanes && g * kLanes + i < count; ++i) {
          float* light = light_.data() + (known + size_t(g * kLanes + i)) * kLight;
          for (int d = 0; d < kCones; ++d)
            for (int c = 0; c < kLight; ++c) light[c] += filled[d][i] * projection().share[d][c];
        }
      }
    });
  }

  int spacing_;
  Box box_{{0, 0, 0}, {0, 0, 0}};
  std::vector<int32_t> number_;
  std::vector<State> state_;
  std::vector<float> light_;
};

// Asks for what will be read of a splat.
void fetch(const Standing& some, int64_t number) {
  const int64_t row = some.rows[std::min(number, some.count - 1)];
  __builtin_prefetch(some.splats.means + 3 * row);
}

// How much light splats miss at spots; `places[i]` is where the share of the i-th goes.
struct Shaded {
  std::vector<int64_t> places;
  std::vector<Spot> spots;
};

void shade_spots(const Field& field, const Shaded& some, const Standing& member, const float* sides, std::vector<float>& shares) {
  const int64_t count = int64_t(some.places.size());
  parallel((count + kRun - 1) / kRun, [&](int64_t run) {
    for (int64_t i = run * kRun; i < std::min(count, (run + 1) * kRun); ++i) {
      const int64_t later = member.rows[some.places[size_t(std::min(count - 1, i + kAhead))]];
      field.fetch(some.spots[size_t(std::min(count - 1, i + kAhead))]);
      __builtin_prefetch(member.splats.quats + 4 * later);
      __builtin_prefetch(member.splats.scales + 3 * later);
      const Spot& spot = some.spots[size_t(i)];
      if (!field.sees_anything(spot)) continue;
      const int64_t place = some.places[size_t(i)];
      float light[kLight], normal[3], front, back;
      field.blend(spot, light);
      normal_of(member.splats, member.rows[place], normal);
      towards_normal(light, normal, front, back);
      shares[size_t(place)] = missing(front, back, sides ? sides[place] : 0);
    }
  });
}

}  // namespace

Patches patches_of(const SplatArrays& splats, int64_t count, const Box& solid, double cell, double size) {
  Depths own;
  own.fill({splats, count, nullptr, nullptr}, solid, cell);
  struct Key {
    int64_t cell[3];
    int facing;
    bool operator<(const Key& o) const {
      return std::tie(cell[2], cell[1], cell[0], facing) < std::tie(o.cell[2], o.cell[1], o.cell[0], o.facing);
    }
  };
  struct Found {
    Key first;
    int64_t row;
  };
  std::vector<Found> found;
  std::vector<float> side(static_cast<size_t>(count));
  for (int64_t row = 0; row < count; ++row) {
    if (!(splats.opacities[row] > 0)) continue;
    const Spot s = spot_at(splats, row, size);
    float n[3];
    normal_of(splats, row, n);
    side[size_t(row)] = side_of(own, spot_at(splats, row, cell), n);
    const int main = facing_of(n);
    const float out = n[main] * side[size_t(row)];
    found.push_back({{{s.x, s.y, s.z}, 3 * main + (std::fabs(side[size_t(row)]) < 0.5f ? 2 : out < 0)}, row});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.first < b.first || (!(b.first < a.first) && a.row < b.row);
  });
  Patches patches;
  patches.patch.assign(size_t(count), -1);
  for (size_t first = 0, last; first < found.size(); first = last) {
    float area = 0;
    for (last = first; last < found.size() && !(found[first].first < found[last].first); ++last) {
      area += area_of(splats, found[last].row);
      patches.patch[size_t(found[last].row)] = int32_t(patches.rows.size());
    }
    const int64_t best = in_the_middle(splats, found.data() + first, last - first);
    patches.rows.push_back(best);
    patches.areas.push_back(area);
    patches.sides.push_back(side[size_t(best)]);
  }
  return patches;
}

void Occluder::fill(const Standing& member, const float* areas, const Box& solid, double cell, double reach) {
  const int far = int(std::ceil(reach / cell)) + kTail;
  if (cell != cell_ || reach != reach_) cones_ = Cones(reach / cell);
  solid_ = solid, within_ = grown(solid, far), cell_ = cell, reach_ = reach;
  depths_.fill({member.splats, member.count, member.rows, areas}, solid, cell);
  depths_.mark_blocks();
  depths_.mark_near(within_, far);
}

std::vector<float> Occluder::shade(const Standing& other) const {
  Shaded some;
  for (int64_t i = 0; i < other.count; ++i) {
    fetch(other, i + kAhead);
    const Spot s = spot_at(other.splats, other.rows[i], cell_);
    if (!depths_.near(s.x, s.y, s.z)) continue;
    some.places.push_back(i);
    some.spots.push_back(spot_at(other.splats, other.rows[i], 2 * cell_));
  }
  std::vector<float> shares(size_t(other.count), 0.0f);
  if (some.places.empty()) return shares;
  Box points;
  for (int k = 0; k < 3; ++k) {
    points.low[k] = (within_.low[k] >= 0 ? within_.low[k] : within_.low[k] - 1) / 2 - 1;
    points.size[k] = within_.size[k] / 2 + 4;
  }
  Field field(2);
  field.clear(points);
  field.fill(some.spots, depths_, cones_);
  shade_spots(field, some, other, nullptr, shares);
  return shares;
}

// A part of the lattice: what of the set is there, which of its splats, and what was seen from its points.
struct Surroundings::Window {
  // Sixteen neighbouring places of the set, as they are looked from in every frame.
  struct Group {
    int count = 0;            // of them
    bool is_close_by;         // none is too far from their middle
    bool is_looked_between = false;
    float at[3][kLanes];      // cells from the window's first, in parts of 256: sums with whole cells are exact
    float middle[3];
    float normal[3][kLanes];
    uint8_t open[kCones][kLanes], last[kCones];  // as `LookTask` has them; found when they are first needed
    int32_t rows[kLanes + 1];  // of the window: where those of each place begin, and the last end
  };

  // A splat among its neighbours: a patch of those that face one way is looked from as one.
  struct Spotted {
    std::array<int32_t, 3> block, cell;
    int8_t facing;
    int64_t row;

    auto patch() const { return std::tie(block, cell, facing); }
    bool operator<(const Spotted& o) const {
      return std::tie(block, facing, cell, row) < std::tie(o.block, o.facing, o.cell, o.row);
    }
  };

  Box box;
  double cell = 0, reach = 0;
  Cones cones{1};
  Depths set;
  std::vector<Group> groups;
  std::vector<Box> boxes;     // about each of them
  std::vector<int32_t> rows;  // of the set, patch by patch
  Field field{1};

  void look_at(const SplatArrays& splats, int64_t count, const Box& where, double a_cell, double a_reach);
  std::vector<Spotted> spotted(const SplatArrays& splats, int64_t count) const;
  void look_between(Group& group) const;
  void shade(size_t number, const Occluder& member, float* shares);
};

// Splats in the window that can be seen, patch by patch. Patches lie where they lie, whatever the window.
std::vector<Surroundings::Window::Spotted> Surroundings::Window::spotted(const SplatArrays& splats, int64_t count) const {
  std::vector<Spotted> found;
  const double a_patch = double(kPatchesTogether) / (kTogether * cell);
  for (int64_t row = 0; row < count; ++row) {
    const Spot s = spot_at(splats, row, cell);
    if (!(splats.opacities[row] > 0) || !box.holds(s.x, s.y, s.z)) continue;
    float n[3];
    normal_of(splats, row, n);
    Spotted one{{}, {}, int8_t(facing_of(n)), row};
    for (int k = 0; k < 3; ++k) {
      one.cell[size_t(k)] = int32_t(whole(splats.means[3 * row + k] * a_patch));
      one.block[size_t(2 - k)] = one.cell[size_t(k)] >> kPatchBits;
    }
    found.push_back(one);
  }
  std::sort(found.begin(), found.end());
  return found;
}

void Surroundings::Window::look_at(const SplatArrays& splats, int64_t count, const Box& where, double a_cell, double a_reach) {
  box = where, cell = a_cell, reach = a_reach;
  cones = Cones(reach / cell);
  set.fill({splats, count, nullptr, nullptr}, where, cell);
  set.mark_blocks();
  field.clear(box);
  const std::vector<Spotted> found = spotted(splats, count);
  groups.clear(), boxes.clear(), rows.clear();
  for (const Spotted& one : found) rows.push_back(int32_t(one.row));
  std::vector<size_t> firsts;  // of the patches, and one more
  for (size_t i = 0; i < found.size(); ++i)
    if (!i || found[i - 1].patch() != found[i].patch()) firsts.push_back(i);
  firsts.push_back(found.size());
  const size_t patches = firsts.size() - 1;
  for (size_t first = 0, last; first < patches; first = last) {
    const auto& block = found[firsts[first]].block;
    for (last = first; last < patches && last < first + kLanes && found[firsts[last]].block == block;) ++last;
    Group& group = groups.emplace_back();
    group.count = int(last - first);
    int64_t low[3], high[3];
    for (int i = 0; i < kLanes; ++i) {  // the last of them stands for those that are not there
      const size_t patch = std::min(first + size_t(i), last - 1);
      if (i < group.count) group.rows[i] = int32_t(firsts[patch]), group.rows[i + 1] = int32_t(firsts[patch + 1]);
      const int64_t row = in_the_middle(splats, found.data() + firsts[patch], firsts[patch + 1] - firsts[patch]);
      const Spot s = spot_at(splats, row, cell);
      const int64_t at[3] = {s.x, s.y, s.z};
      const float past[3] = {s.u, s.v, s.w};
      float normal[3];
      normal_of(splats, row, normal);
      for (int k = 0; k < 3; ++k) {
        group.at[k][i] = float(at[k] - box.low[k]) + float(uint8_t(past[k] * 255.99f)) * kPast + 0.5f;
        group.normal[k][i] = normal[k];
        low[k] = i ? std::min(low[k], at[k]) : at[k], high[k] = i ? std::max(high[k], at[k]) : at[k];
      }
    }
    group.is_close_by = close_by(group.at, group.middle);
    Box& about = boxes.emplace_back();
    for (int k = 0; k < 3; ++k) about.low[k] = low[k], about.size[k] = int(high[k] - low[k]) + 1;
  }
}

// The number of steps before which nothing is, and what is let through to the others, that come nearest.
uint8_t in_short(const float* lit, int count) {
  float least = 1e30f;
  int best = 0;
  for (int clear = 0; clear <= std::min(count, 15); ++clear) {
    float sum = 0, wrong = 0;
    for (int t = clear; t < count; ++t) sum += lit[t];
    const int later = clear < count ? int(15 * sum / float(count - clear) + 0.5f) : 0;
    for (int t = 0; t < count; ++t) {
      const float away = lit[t] - (t < clear ? 1.0f : float(later) / 15);
      wrong += away * away;
    }
    if (wrong < least) least = wrong, best = 16 * clear + later;
  }
  return uint8_t(best);
}

// How far the set lets light through along each cone of each of the splats.
void Surroundings::Window::look_between(Group& group) const {
  group.is_looked_between = true;
  const int32_t* depths = set.blurred(1);
  for (int d = 0; d < kCones; ++d)
    for (int i = 0; i < kLanes; ++i) {
      float open = 1, lit[kMostSteps];
      for (int t = 0; t < cones.count; ++t) {
        lit[t] = open;
        const ConeStep& step = cones.steps[d][t];
        const float along[3] = {step.x, step.y, step.z};
        int64_t at[3];
        for (int k = 0; k < 3; ++k)
          at[k] = box.low[k] + whole(double(group.at[k][i]) + along[k]);
        if (!step.blocks || !set.box().holds(at[0], at[1], at[2])) continue;
        const float met = float(depths[set.box().at(at[0], at[1], at[2])]) * step.length;
        open /= 1 + met * (1 + 0.5f * met);
      }
      group.open[d][i] = in_short(lit, cones.count);
    }
  for (int d = 0; d < kCones; ++d) {
    group.last[d] = 0;
    for (int i = 0; i < kLanes; ++i) {
      const int clear = group.open[d][i] / 16, to = group.open[d][i] % 16 ? cones.count : std::min(clear, cones.count);
      group.last[d] = std::max(group.last[d], uint8_t(to));
    }
  }
}

// What a member takes from each of a group.
void Surroundings::Window::shade(size_t number, const Occluder& member, float* shares) {
  Group& group = groups[number];
  if (!group.is_looked_between) look_between(group);
  const Box& own = member.depths().box();
  float at[3][kLanes], middle[3];
  for (int k = 0; k < 3; ++k) {
    const float aside = float(box.low[k] - own.low[k]);
    for (int i = 0; i < kLanes; ++i) at[k][i] = group.at[k][i] + aside;
    middle[k] = group.middle[k] + aside;
  }
  LookTask task = looking(member.depths(), cones);
  task.able = towards(own, cones, boxes[number]);
  task.x = at[0], task.y = at[1], task.z = at[2], task.open = group.open[0], task.last = group.last;
  task.middle = group.is_close_by ? middle : nullptr;
  kernels().look_from_surfaces(task, group.normal[0], shares);
}

Surroundings::Surroundings(const float* means, const float* quats, const float* scales, const float* opacities, int64_t count)
    : means_(means, means + 3 * count), quats_(quats, quats + 4 * count), scales_(scales, scales + 3 * count),
      opacities_(opacities, opacities + count), splats_{means_.data(), quats_.data(), scales_.data(), opacities_.data()},
      count_(count), busy_(std::make_unique<std::mutex>()) {
  std::vector<float> along(static_cast<size_t>(count));
  for (int k = 0; k < 3; ++k) {
    for (int64_t row = 0; row < count; ++row) along[size_t(row)] = means[3 * row + k];
    const auto at = [&](double share) {
      const auto nth = along.begin() + long(share * double(count - 1));
      std::nth_element(along.begin(), nth, along.end());
      return double(*nth);
    };
    low_[k] = count ? at(kStrays) : 0, high_[k] = count ? at(1 - kStrays) : 0;
  }
}

Surroundings::~Surroundings() = default;

// One that holds everything about the member; most of the set where that is not too much, since then no other is needed.
Surroundings::Window& Surroundings::window(const Occluder& member) {
  const Box wanted = grown(member.within(), 1);
  for (size_t i = 0; i < windows_.size(); ++i)
    if (windows_[i]->cell == member.cell() && windows_[i]->reach == member.reach() && windows_[i]->box.holds(wanted)) {
      std::rotate(windows_.begin(), windows_.begin() + long(i), windows_.begin() + long(i) + 1);
      return *windows_.front();
    }
  Box where = rounded(wanted, kStep), most = where;
  double cells = 1;
  for (int k = 0; k < 3; ++k) {
    const double first = std::min(low_[k] / member.cell() - kAround, double(where.low[k]));
    const double last = std::max(high_[k] / member.cell() + kAround, double(where.low[k] + where.size[k]));
    cells *= last - first;
    if (!(cells < double(kMostCells))) break;
    most.low[k] = int64_t(std::floor(first)), most.size[k] = int(int64_t(std::ceil(last)) - most.low[k]);
  }
  if (cells < double(kMostCells)) where = most;
  if (windows_.size() < kMostWindows) windows_.push_back(std::make_unique<Window>());
  auto oldest = windows_.end() - 1;  // what holds most of the set is not given up for a part of it
  while (oldest != windows_.begin() && (*oldest)->box.cells() > kMostCells / 4) --oldest;
  std::rotate(windows_.begin(), oldest, oldest + 1);
  windows_.front()->look_at(splats_, count_, where, member.cell(), member.reach());
  return *windows_.front();
}

Lost Surroundings::contact(const Occluder& occluder, const Standing& member, const float* sides) {
  const std::lock_guard<std::mutex> alone(*busy_);
  Window& there = window(occluder);

  std::vector<size_t> near;
  for (size_t number = 0; number < there.boxes.size(); ++number)
    if (occluder.depths().near(there.boxes[number])) near.push_back(number);
  const int64_t count = int64_t(near.size());
  std::vector<float> shares(near.size() * kLanes);
  parallel((count + kGroupRun - 1) / kGroupRun, [&](int64_t run) {
    for (int64_t g = run * kGroupRun; g < std::min(count, (run + 1) * kGroupRun); ++g)
      there.shade(near[size_t(g)], occluder, shares.data() + g * kLanes);
  });
  Lost lost;
  for (int64_t g = 0; g < count; ++g) {
    const Window::Group& group = there.groups[near[size_t(g)]];
    for (int i = 0; i < group.count; ++i)
      if (const float share = shares[size_t(g * kLanes + i)]; share > 0) {
        lost.rows.insert(lost.rows.end(), there.rows.begin() + group.rows[i], there.rows.begin() + group.rows[i + 1]);
        lost.shares.resize(lost.rows.size(), share);
      }
  }

  Shaded some;
  for (int64_t i = 0; i < member.count; ++i) {
    fetch(member, i + kAhead);
    const Spot s = spot_at(member.splats, member.rows[i], occluder.cell());
    if (!occluder.solid().holds(s.x, s.y, s.z)) continue;
    some.places.push_back(i);
    some.spots.push_back(s);
  }
  lost.own.assign(size_t(member.count), 0.0f);
  there.field.fill(some.spots, there.set, there.cones);
  shade_spots(there.field, some, member, sides, lost.own);
  return lost;
}

}  // namespace splatfilm
