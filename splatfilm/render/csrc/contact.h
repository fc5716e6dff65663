// How much of the light around each splat a member of the cast takes away, and what the set takes from that member.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "cones.h"
#include "lattice.h"

namespace splatfilm {

// Rows that lose light, and the share of it, 0..1.
struct Lost {
  std::vector<int64_t> rows;
  std::vector<float> shares;
};

// Rows begin..end of `splats`: a member of the cast. `sides` says of each row which of the two sides of a surface is the
// outside, -1..1 for the side that its shortest axis points to; null: it is found out.
struct Member {
  SplatArrays splats;
  int64_t begin, end;
  const float* sides;
};

// What a member is to others: the cells that it fills, without strays. What of it lies outside of `solid` neither
// occludes nor is occluded.
class Occluder {
 public:
  // `cell` in metres, `reach` in metres and greater: occlusion fades out towards it.
  void fill(const SplatArrays& cast, int64_t begin, int64_t end, const Box& solid, double cell, double reach);

  // Rows begin..end of others of the cast, in its shadow.
  Lost shade(const SplatArrays& cast, const std::vector<std::pair<int64_t, int64_t>>& others) const;

  const Box& solid() const { return solid_; }
  const Box& within() const { return within_; }  // of everything that takes part
  const Depths& depths() const { return depths_; }
  const Cones& cones() const { return cones_; }
  double cell() const { return cell_; }
  double reach() const { return reach_; }

 private:
  Box solid_{{0, 0, 0}, {0, 0, 0}}, within_{{0, 0, 0}, {0, 0, 0}};
  double cell_ = 0, reach_ = 0;
  Cones cones_{1};
  Depths depths_;
};

// `Member::sides` of rows begin..end, of a closed body that fills `solid`: it is outside where there is less of it.
void sides_of(const SplatArrays& splats, int64_t begin, int64_t end, const Box& solid, double cell, float* out);

// A set that stands still, and what has been found out about the parts of it that the cast came near to.
class Surroundings {
 public:
  Surroundings(const float* means, const float* quats, const float* scales, const float* opacities, int64_t count);
  ~Surroundings();
  Surroundings(const Surroundings&) = delete;
  Surroundings& operator=(const Surroundings&) = delete;

  // What the member and the set take from one another: the set's rows come first, ascending no more than the cast's,
  // which are counted from the set's end. The same bits at any thread count, on any processor, and whatever was asked
  // before.
  Lost contact(const Occluder&, const Member&);

 private:
  struct Window;
  Window& window(const Occluder&);

  std::vector<float> means_, quats_, scales_, opacities_;
  SplatArrays splats_;
  int64_t count_;
  double low_[3], high_[3];                        // where most of it is, metres
  std::vector<std::unique_ptr<Window>> windows_;  // the last used first
  std::unique_ptr<std::mutex> busy_;
};

}  // namespace splatfilm
