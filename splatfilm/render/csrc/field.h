// What points of a lattice see of what is close, as light that is missing there from every side.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels.h"
#include "lattice.h"
#include "pool.h"

namespace splatfilm {

constexpr int64_t kPointsRun = 16;       // groups of sixteen points that one task takes
constexpr int kLight = 12;               // floats of a lattice point: nine are in use

// The middle of places; whether none is too far from it.
inline bool close_by(const float (&at)[3][kLanes], float (&middle)[3]) {
  for (int k = 0; k < 3; ++k) {
    const auto [low, high] = std::minmax_element(at[k], at[k] + kLanes);
    middle[k] = 0.5f * (*low + *high);
    if (*high - *low > 2 * kAside) return false;
  }
  return true;
}

inline LookTask looking(const Depths& depths, const Cones& cones) {
  const Box& box = depths.box();
  LookTask task{};
  for (int width = 0; width < kBlurs; ++width) task.copies[width] = depths.blurred(width);
  task.nx = box.size[0], task.ny = box.size[1], task.nz = box.size[2];
  task.cones = &cones;
  task.filled_blocks = depths.filled_blocks();
  for (int k = 0; k < 3; ++k) task.blocks[k] = depths.filled_size()[k];
  return task;
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

inline const Projection& projection() {
  static const Projection one;
  return one;
}

// What is missing before and behind a surface, of light as a lattice point has it.
inline void towards_normal(const float (&light)[kLight], const float (&n)[3], float& front, float& back) {
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
    parallel((groups + kPointsRun - 1) / kPointsRun, [&](int64_t run) {
      for (int64_t g = run * kPointsRun; g < std::min(groups, (run + 1) * kPointsRun); ++g) {
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

}  // namespace splatfilm
