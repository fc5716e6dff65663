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

#include "facing.h"
#include "field.h"
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
