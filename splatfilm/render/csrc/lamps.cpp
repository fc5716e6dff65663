#include "lamps.h"

#include <algorithm>
#include <cmath>

#include "pool.h"

namespace splatfilm {
namespace {

constexpr float kPi = 3.14159265f;
constexpr double kApart = 0.12;   // metres between the points that a set is looked from
constexpr float kClear = 0.3f;    // metres before a lamp where nothing keeps its light: its own glass, the sky in a pane
constexpr float kSunReach = 5.0f;  // metres: farther away nothing keeps the sun off (a painted sky would)
constexpr float kEdge = 0.03f;    // metres over which a window's edge lets more and more sun by
constexpr float kNearest = 0.05f;  // metres from a lamp: nearer it gets no brighter
constexpr float kBuried = 1.0f;   // optical depth about a point of the grid that is inside of something
constexpr float kFaintest = 2e-3f;  // what such a point counts, and the light over pi that is too little to look for
constexpr float kDim = 0.012f;      // light over pi that is not worth looking for what keeps it off
constexpr float kOpaque = 1.65f;  // optical depth that `by` lets nothing through
constexpr float kOff = 1.5f;      // cells off a set's own surface from which a way is looked along
constexpr float kFine = 5.0f;     // those that are looked at one by one; then every so many, blurred
constexpr float kStride = 3.0f;
constexpr float kLifted = 1.3f;   // cells off its own surface that a place looks from
constexpr float kStart = 3.0f;    // cells towards a lamp: what is nearer is the surface itself
constexpr float kNear = 5.0f;     // cells to which a member's own are small ones
constexpr float kAround = 0.1f;   // cosine of the ways that light from all around is looked for
constexpr double kPoints = 2.0;   // half cells: a member has many small splats, whose extent says little here
constexpr int64_t kRun = 64;
// Cells along a way, how many each step stands for, and the copy that is wide enough there.
struct Step {
  float at, length;
  int width;
};
constexpr Step kSteps[] = {{1.0f, 1.0f, 0}, {2.0f, 1.2f, 0},  {3.4f, 1.6f, 1},  {5.2f, 2.2f, 1},
                           {7.8f, 3.0f, 2}, {11.5f, 4.4f, 2}, {17.0f, 6.4f, 3}, {25.0f, 9.0f, 3}};
constexpr float kReach = 32.0f;  // cells

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

// The share that gets from a place out of a member's own lattices: what is near in small cells, the rest in large ones.
float out_of(const OwnDepths& own, const float (&fine)[3], const float (&coarse)[3], const float (&way)[3]) {
  const float last = end_of(own.coarse().box(), coarse, way, 1e6f);
  float depth = 0;
  for (float t = kStart; t < kNear; t += 1) depth += depth_along(own.fine(), 0, fine, way, t);
  for (float t = (kNear + 0.5f * (kFiner - 1)) / kFiner; t < last && depth < kOpaque; t += 1)
    depth += depth_along(own.coarse(), 0, coarse, way, t);
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

// The share of a sun that gets to a point by its window's opening, 1 out of doors.
float by_window(const Shining& one, const float* point) {
  if (dot(one.facing, one.facing) == 0) return 1;
  const float from[3] = {point[0] - one.at[0], point[1] - one.at[1], point[2] - one.at[2]};
  const float past = dot(from, one.facing), fall = dot(one.travels, one.facing);
  if (!(past > 0) || !(fall > 1e-6f)) return 0;
  float entered[3];
  for (int k = 0; k < 3; ++k) entered[k] = from[k] - one.travels[k] * past / fall;
  const float side = std::fabs(entered[0] * one.facing[1] - entered[1] * one.facing[0]);
  const auto share = [](float half, float off) { return std::min(1.0f, std::max(0.0f, (half - off) / kEdge)); };
  return share(one.across / 2, side) * share(one.high / 2, std::fabs(entered[2]));
}

// What falls there of one, with nothing in between, as a vector.
void sent(const Shining& one, const float* point, float (&out)[3]) {
  for (float& o : out) o = 0;
  if (one.kind == LampKind::kSun) {
    const float share = by_window(one, point) * one.power;
    for (int k = 0; k < 3; ++k) out[k] = -one.travels[k] * share;
    return;
  }
  const int parts = one.kind == LampKind::kPanel ? 4 : 1;
  for (int p = 0; p < parts; ++p) {
    float way[3];
    for (int k = 0; k < 3; ++k)
      way[k] = one.at[k] - point[k] + (parts == 1 ? 0.0f : 0.5f * ((p & 1 ? one.right[k] : -one.right[k]) + (p & 2 ? one.up[k] : -one.up[k])));
    const float far = std::max(kNearest, std::sqrt(dot(way, way)));
    float share = one.power / (far * far * far * float(parts));
    if (one.kind == LampKind::kPanel) share *= std::max(0.0f, -dot(way, one.travels) / far);
    for (int k = 0; k < 3; ++k) out[k] += way[k] * share;
  }
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
    weights_[before + size_t(i)] = depth_at(depths_, 1, from[0], from[1], from[2]) > kBuried ? kFaintest : 1.0f;
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

Fallen falls_on(const PlacesOfMember& some, const OwnDepths& own, const std::vector<Shining>& lamps, int whole,
                const float* lets_by) {
  Fallen fallen{std::vector<float>(size_t(some.count)), std::vector<float>(size_t(some.count) * size_t(whole) * 3)};
  const Cones cones(kReach);
  const size_t kinds = lamps.size();
  parallel((some.count + kRun - 1) / kRun, [&](int64_t run) {
    for (int64_t i = run * kRun; i < std::min(some.count, (run + 1) * kRun); ++i) {
      const float *place = some.at + 3 * i, *n = some.normals + 3 * i;
      float from[3], seen = 0, all = 0;
      cells_from(own.coarse(), own.cell(), place, from);
      for (int k = 0; k < 3; ++k) from[k] += kLifted * n[k];
      for (int d = 0; d < kCones; ++d) {
        const float sign = d & 1 ? -1.0f : 1.0f, *axis = cones.axes[d / 2];
        const float cosine = sign * dot(axis, n);
        if (cosine < kAround) continue;
        float depth = 0;
        for (const Step& step : kSteps) {
          const float t = sign * step.at, fade = 1 - step.at / kReach;
          depth += fade * step.length * depth_at(own.coarse(), step.width, from[0] + axis[0] * t, from[1] + axis[1] * t, from[2] + axis[2] * t);
        }
        all += cosine;
        seen += cosine / (1 + depth * (1 + 0.5f * depth));
      }
      fallen.open[size_t(i)] = seen / std::max(all, 1e-6f);
      float near[3], far[3];
      cells_from(own.fine(), own.cell() / kFiner, place, near);
      cells_from(own.coarse(), own.cell(), place, far);
      for (int k = 0; k < 3; ++k) near[k] += kLifted * n[k], far[k] += kLifted / kFiner * n[k];
      for (size_t l = 0; l < kinds; ++l) {
        const float open = lets_by ? lets_by[size_t(i) * kinds + l] : 1.0f;
        if (open < kFaintest) continue;
        float light[3], way[3];
        sent(lamps[l], place, light);
        const float most = std::sqrt(dot(light, light));
        if (open * most < kFaintest || dot(light, n) < -0.4f * most) continue;
        way_to(lamps[l], place, way);
        const float kept = open * (open * most < kDim ? 1.0f : out_of(own, near, far, way));
        float* out = fallen.vectors.data() + (size_t(i) * size_t(whole) + size_t(lamps[l].lamp)) * 3;
        for (int k = 0; k < 3; ++k) out[k] += kept * light[k];
      }
    }
  });
  return fallen;
}

}  // namespace splatfilm
