// A part of the scene's lattice of cells, with the optical depth of splats in it, as it is and blurred ever wider.
//
// Depths are whole numbers of a small unit: sums of them are exact, so a part of the lattice holds what every other part
// that covers the same cells does, whatever was put there in which order.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cones.h"

namespace splatfilm {

constexpr int kHalfWidths[kBlurs] = {0, 1, 2, 4};  // each is a box over the one before it
constexpr int kSmear = 1 + 2 + 4;                  // cells that the widest copy reaches beyond what is there
constexpr int smear_of(int copies) {               // those of the widest of some copies
  int cells = 0;
  for (int k = 1; k < copies; ++k) cells += kHalfWidths[k];
  return cells;
}
static_assert(smear_of(kBlurs) == kSmear);
constexpr double kEven = 0.75;                     // half cells: what counts as a point, for the most exact lattice

// Cells low .. low + size - 1 of the scene.
struct Box {
  int64_t low[3];
  int size[3];

  int64_t cells() const { return int64_t(size[0]) * size[1] * size[2]; }
  bool holds(int64_t x, int64_t y, int64_t z) const {
    return uint64_t(x - low[0]) < uint64_t(size[0]) && uint64_t(y - low[1]) < uint64_t(size[1]) &&
           uint64_t(z - low[2]) < uint64_t(size[2]);
  }
  bool holds(const Box& other) const;
  bool meets(const Box& other) const;
  int64_t at(int64_t x, int64_t y, int64_t z) const {
    return ((z - low[2]) * size[1] + (y - low[1])) * size[0] + (x - low[0]);
  }
};

Box grown(const Box& box, int cells);
// With sides that lie on multiples of `step` cells.
Box rounded(const Box& box, int step);

struct SplatArrays {
  const float *means, *quats, *scales, *opacities;  // [count, 3], [count, 4], [count, 3], [count]
};

// The three columns of a splat's rotation.
void turn_of(const float* quaternion, float (&columns)[3][3]);

// The whole number below: without a call to a library, which a processor's oldest instructions need.
inline int64_t whole(double x) {
  const int64_t i = int64_t(x);
  return i - (x < double(i));
}

// Where a point is on the lattice: the cell's first corner, and how far it is past it.
struct Spot {
  int64_t x, y, z;
  float u, v, w;
};

inline Spot spot_of(const double (&cells)[3]) {  // in cells, less than 2^62 of them
  const int64_t x = whole(cells[0]), y = whole(cells[1]), z = whole(cells[2]);
  return {x, y, z, float(cells[0] - double(x)), float(cells[1] - double(y)), float(cells[2] - double(z))};
}

inline Spot spot_of(const float* point, double a_cell) {  // 1 / metres
  const double cells[3] = {point[0] * a_cell, point[1] * a_cell, point[2] * a_cell};
  return spot_of(cells);
}

// Square metres that a splat blocks, times pi.
inline float area_of(const SplatArrays& splats, int64_t row) {
  const float *s = splats.scales + 3 * row, longest = std::max({s[0], s[1], s[2]}), shortest = std::min({s[0], s[1], s[2]});
  return (s[0] + s[1] + s[2] - longest - shortest) * longest * splats.opacities[row];
}

// Splats that block light: rows of some, and the areas that they stand for; all of `count` where these are null.
struct Blocking {
  SplatArrays splats;
  int64_t count;
  const int64_t* rows;
  const float* areas;
};

class Depths {
 public:
  // Splats on the cells of `box`, where the widest copy is exact; blurred over `smear_of` cells more. What was there before
  // is forgotten, and its memory used again. Fewer `copies` are those that are blurred least;
  // splats of up to `even` half cells, three deviations, count as points.
  void fill(const Blocking& some, const Box& box, double cell, int copies = kBlurs, double even = kEven) {
    fill(std::vector<Blocking>{some}, box, cell, copies, even);
  }
  void fill(const std::vector<Blocking>& all, const Box& box, double cell, int copies = kBlurs, double even = kEven);
  // Adds splats to what is there.
  void fill_more(const std::vector<Blocking>& all, double cell, int copies = kBlurs, double even = kEven);
  // The same from a lattice of cells half as wide, whose own box, less what its copies are blurred over, must be twice this one.
  void fill_from(const Depths& finer, const Box& box, int copies = kBlurs);

  const Box& box() const { return box_; }  // of the arrays: larger than what was asked for
  const int32_t* blurred(int width) const { return blurred_[width].data(); }
  // After `mark_blocks`, for `near`: whether there is anything within `far` cells of a cell along every axis; never a
  // false no.
  void mark_near(const Box& around, int far);
  // Finds out for `filled_blocks`, as `LookTask` has them.
  void mark_blocks();
  const int32_t* filled_blocks() const { return filled_.data(); }
  const int (&filled_size() const)[3] { return filled_size_; }
  bool near(const Box& box) const {
    if (!marked_.meets(box)) return false;
    int64_t low[3], high[3];
    for (int k = 0; k < 3; ++k) {
      low[k] = std::max<int64_t>(0, box.low[k] - marked_.low[k]) / kSide;
      high[k] = std::min<int64_t>(marked_.size[k] - 1, box.low[k] + box.size[k] - 1 - marked_.low[k]) / kSide;
    }
    for (int64_t k = low[2]; k <= high[2]; ++k)
      for (int64_t j = low[1]; j <= high[1]; ++j)
        for (int64_t i = low[0]; i <= high[0]; ++i)
          if (near_[size_t((k * blocks_[1] + j) * blocks_[0] + i)]) return true;
    return false;
  }
  bool near(int64_t x, int64_t y, int64_t z) const {
    if (!marked_.holds(x, y, z)) return false;
    const int64_t i = (x - marked_.low[0]) / kSide, j = (y - marked_.low[1]) / kSide, k = (z - marked_.low[2]) / kSide;
    return near_[size_t((k * blocks_[1] + j) * blocks_[0] + i)] != 0;
  }

 private:
  // Depths in planes first..last of the box.
  void deposit(const Blocking& some, double a_cell, double even, int first, int last);
  void add_large(const SplatArrays& splats, int64_t row, const double (&at)[3], float weight, double a_cell, int first, int last);
  void add(const double (&at)[3], float weight, int first, int last);
  void blur(int width);

  Box box_{{0, 0, 0}, {0, 0, 0}};
  std::vector<int32_t> blurred_[kBlurs], between_;
  Box marked_{{0, 0, 0}, {0, 0, 0}};
  int blocks_[3] = {0, 0, 0};
  std::vector<uint8_t> near_;
  std::vector<uint8_t> any_, reached_;  // of blocks
  std::vector<int32_t> filled_;
  int filled_size_[3] = {0, 0, 0};
};

}  // namespace splatfilm
