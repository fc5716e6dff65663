#include "lamps.h"

#include <algorithm>
#include <cmath>

#include "kernels.h"
#include "pool.h"

namespace splatfilm {
namespace {

constexpr float kPi = 3.14159265f;
constexpr double kApart = 0.12;   // metres between the points that a set is looked from
constexpr float kClear = 0.3f;    // metres before a lamp where nothing keeps its light: its own glass, the sky in a pane
constexpr float kSunReach = 5.0f;  // metres: farther away nothing keeps the sun off (a painted sky would)
constexpr float kBuried = 1.0f;   // optical depth about a point of the grid that is inside of something
constexpr float kHardly = 2e-3f;  // what such a point counts
constexpr float kOff = 1.5f;      // cells off a set's own surface from which a way is looked along
constexpr float kFine = 5.0f;     // those that are looked at one by one; then every so many, blurred
constexpr float kStride = 3.0f;
constexpr float kLifted = 1.3f;   // cells off its own surface that a place looks from
constexpr double kPoints = 2.0;   // half cells: a member has many small splats, whose extent says little here
constexpr int64_t kRun = 64;
constexpr int64_t kLots = 4;      // of sixteen places that one task takes; results do not depend on it

float dot(const float* a, const float* b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

// The optical depth in a cell, of light that crosses it.
float depth_at(const Depths& depths, int width, float x, float y, float z) {
  const Box& box = depths.box();
  if (!(x >= 0 && y >= 0 && z >= 0)) return 0;
  const int i = int(std::min(x, 4096.0f)), j = int(std::min(y, 4096.0f)), k = int(std::min(z, 4096.0f));
  if (i >= box.size[0] || j >= box.size[1] || k >= box.size[2]) return 0;
  return float(depths.blurred(width)[(int64_t(k) * box.size[1] + j) * box.size[0] + i]) * kUnit;
}

// What gets by an optical depth: haze stops nothing, and what is more than half opaque nearly all.
float by(float depth) {
  const float left = 1 / (1 + depth * (1 + 0.5f * depth));
  return std::min(1.0f, std::max(0.0f, (left - 0.25f) * 2));
}

// How many cells along a way a lattice ends, `cells` at most.
float end_of(const Box& box, const float (&from)[3], const float (&way)[3], float cells) {
  for (int k = 0; k < 3; ++k) {
    if (way[k] > 1e-6f) cells = std::min(cells, (float(box.size[k]) - from[k]) / way[k]);
    if (way[k] < -1e-6f) cells = std::min(cells, -from[k] / way[k]);
  }
  return cells;
}

float depth_along(const Depths& depths, int width, const float (&from)[3], const float (&way)[3], float t) {
  return depth_at(depths, width, from[0] + way[0] * t, from[1] + way[1] * t, from[2] + way[2] * t);
}

// The share that gets `cells` far from a point of a set's lattice.
float along(const Depths& depths, const float (&from)[3], const float (&way)[3], float cells) {
  const float last = end_of(depths.box(), from, way, cells);
  float depth = 0, t = kOff;
  for (; t < std::min(last, kFine) && depth < kOpaque; t += 1) depth += depth_along(depths, 0, from, way, t);
  for (; t < last && depth < kOpaque; t += kStride) depth += kStride * depth_along(depths, 1, from, way, t);
  return by(depth);
}

// The way from a point to what shines, and how many metres along it something may be in between.
float way_to(const Shining& one, const float* point, float (&way)[3]) {
  if (one.kind == LampKind::kSun) {
    for (int k = 0; k < 3; ++k) way[k] = -one.travels[k];
    if (dot(one.facing, one.facing) == 0) return kSunReach;
    const float from[3] = {point[0] - one.at[0], point[1] - one.at[1], point[2] - one.at[2]};
    const float off = dot(from, one.facing), fall = -dot(way, one.facing);  // metres inside the window, and out a metre
    return fall > 1e-6f ? std::min(kSunReach, std::max(0.0f, (off - kClear) / fall)) : 0.0f;
  }
  for (int k = 0; k < 3; ++k) way[k] = one.at[k] - point[k];
  const float far = std::sqrt(dot(way, way));
  if (far < 1e-6f) return 0;
  for (float& w : way) w /= far;
  if (one.kind == LampKind::kPoint) return std::max(0.0f, far - kClear);
  const float steep = -dot(way, one.travels);
  return steep > 1e-3f ? std::max(0.0f, far - kClear / steep) : 0.0f;
}

uint64_t key_of(int64_t x, int64_t y, int64_t z) {
  const auto part = [](int64_t v) { return uint64_t(v + (1 << 20)) & 0x1fffff; };
  return part(x) | part(y) << 21 | part(z) << 42;
}

// In cells from the lattice's first, whose middle is at a half.
void cells_from(const Depths& depths, double cell, const float* point, float (&out)[3]) {
  for (int k = 0; k < 3; ++k) out[k] = float(point[k] / cell - double(depths.box().low[k])) + 0.5f;
}

}  // namespace

Openings::Openings(const SplatArrays& splats, int64_t count, const Box& box, double cell, std::vector<Shining> lamps)
    : cell_(cell), lamps_(std::move(lamps)) {
  depths_.fill({splats, count, nullptr, nullptr}, box, cell);
}

void Openings::look(const std::vector<Node>& fresh) {
  const size_t before = weights_.size(), kinds = lamps_.size();
  weights_.resize(before + fresh.size());
  shares_.resize((before + fresh.size()) * kinds);
  parallel(int64_t(fresh.size()), [&](int64_t i) {
    const Node& node = fresh[size_t(i)];
    const float point[3] = {float(double(node.x) * kApart), float(double(node.y) * kApart), float(double(node.z) * kApart)};
    float from[3], way[3];
    cells_from(depths_, cell_, point, from);
    weights_[before + size_t(i)] = depth_at(depths_, 1, from[0], from[1], from[2]) > kBuried ? kHardly : 1.0f;
    for (size_t l = 0; l < kinds; ++l) {
      const float metres = way_to(lamps_[l], point, way);
      shares_[(before + size_t(i)) * kinds + l] = along(depths_, from, way, metres / float(cell_));
    }
  });
}

std::vector<float> Openings::at(const float* places, int64_t count) {
  std::vector<Node> fresh;
  std::vector<int32_t> corners(size_t(count) * 8);
  const auto spot = [&](int64_t i) { return spot_of(places + 3 * i, 1 / kApart); };
  for (int64_t i = 0; i < count; ++i) {
    const Spot s = spot(i);
    for (int c = 0; c < 8; ++c) {
      const Node node{s.x + (c & 1), s.y + (c >> 1 & 1), s.z + (c >> 2)};
      const auto [found, is_new] = number_.try_emplace(key_of(node.x, node.y, node.z), int32_t(number_.size()));
      if (is_new) fresh.push_back(node);
      corners[size_t(8 * i + c)] = found->second;
    }
  }
  if (!fresh.empty()) look(fresh);
  const size_t kinds = lamps_.size();
  std::vector<float> out(size_t(count) * kinds);
  parallel((count + kRun - 1) / kRun, [&](int64_t run) {
    for (int64_t i = run * kRun; i < std::min(count, (run + 1) * kRun); ++i) {
      const Spot s = spot(i);
      float total = 0, *own = out.data() + size_t(i) * kinds;
      for (int c = 0; c < 8; ++c) {
        const size_t node = size_t(corners[size_t(8 * i + c)]);
        const float share = (c & 1 ? s.u : 1 - s.u) * (c >> 1 & 1 ? s.v : 1 - s.v) * (c >> 2 ? s.w : 1 - s.w) * weights_[node];
        total += share;
        for (size_t l = 0; l < kinds; ++l) own[l] += share * shares_[node * kinds + l];
      }
      for (size_t l = 0; l < kinds; ++l) own[l] /= std::max(total, 1e-20f);
    }
  });
  return out;
}

void OwnDepths::fill(const std::vector<Blocking>& parts, const Box& coarse, double cell) {
  cell_ = cell;
  Box fine;
  for (int k = 0; k < 3; ++k) fine.low[k] = coarse.low[k] * kFiner, fine.size[k] = coarse.size[k] * kFiner;
  fine_.fill(parts, fine, cell / kFiner, 1, kPoints);
  coarse_.fill_from(fine_, coarse);
}

void OwnDepths::fill_more(const std::vector<Blocking>& parts, const Box& coarse, double cell) {
  fine_.fill_more(parts, cell / kFiner, 1, kPoints);
  coarse_.fill_from(fine_, coarse);
}

Fallen falls_on(const PlacesOfMember& some, const OwnDepths& own, const std::vector<Shining>& lamps, int whole,
                const float* lets_by) {
  const size_t width = size_t(whole) * 3, kinds = lamps.size();
  Fallen fallen{std::vector<float>(size_t(some.count)), std::vector<float>(size_t(some.count) * width)};
  const Cones cones(kReach);
  FallTask common{};
  common.fine = own.fine().blurred(0), common.cones = &cones, common.lamps = lamps.data(), common.count = int(kinds);
  for (int copy = 0; copy < kBlurs; ++copy) common.coarse[copy] = own.coarse().blurred(copy);
  for (int k = 0; k < 3; ++k) common.fine_size[k] = own.fine().box().size[k], common.coarse_size[k] = own.coarse().box().size[k];
  const int64_t lots = (some.count + kLanes - 1) / kLanes;
  parallel((lots + kLots - 1) / kLots, [&](int64_t run) {
    FallTask task = common;
    float open[kLanes];
    std::vector<float> by(kinds * kLanes), vectors(width * kLanes);
    task.lets_by = by.data(), task.open = open, task.vectors = vectors.data();
    for (int64_t lot = run * kLots; lot < std::min(lots, (run + 1) * kLots); ++lot) {
      const int64_t first = lot * kLanes, count = std::min<int64_t>(kLanes, some.count - first);
      for (int i = 0; i < kLanes; ++i) {  // the last of them stands for those that are not there
        const int64_t place = first + std::min<int64_t>(i, count - 1);
        const float *at = some.at + 3 * place, *n = some.normals + 3 * place;
        float fine[3], coarse[3];
        cells_from(own.fine(), own.cell() / kFiner, at, fine);
        cells_from(own.coarse(), own.cell(), at, coarse);
        for (int k = 0; k < 3; ++k) {
          task.at[k][i] = at[k], task.normals[k][i] = n[k];
          task.near[k][i] = fine[k] + kLifted * n[k], task.far[k][i] = coarse[k] + kLifted / kFiner * n[k];
          task.around[k][i] = coarse[k] + kLifted * n[k];
        }
        for (size_t l = 0; l < kinds; ++l) by[l * kLanes + size_t(i)] = lets_by ? lets_by[size_t(place) * kinds + l] : 1.0f;
      }
      std::fill(vectors.begin(), vectors.end(), 0.0f);
      kernels().fall_on(task);
      for (int64_t i = 0; i < count; ++i) {
        fallen.open[size_t(first + i)] = open[i];
        for (size_t k = 0; k < width; ++k) fallen.vectors[size_t(first + i) * width + k] = vectors[k * kLanes + size_t(i)];
      }
    }
  });
  return fallen;
}

}  // namespace splatfilm
