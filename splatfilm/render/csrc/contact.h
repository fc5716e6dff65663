// How much of the light around each splat a member of the cast takes away, and what the set takes from that member.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "cones.h"
#include "lattice.h"

namespace splatfilm {

// Neighbours of a member that face one way, each lot as one: for a light that changes over centimetres that is enough.
struct Patches {
  std::vector<int64_t> rows;   // of the splats that stand for them
  std::vector<float> areas;    // as `area_of` has it, of all that a splat stands for
  // Which of the two sides of a surface is the outside, -1..1 for the side that the splat's shortest axis points to.
  std::vector<float> sides;
  std::vector<int32_t> patch;  // of every splat; -1 for one that is not to be seen
};

// Of all `count` splats, those within `size` metres that face alike. They are a closed body that fills `solid`: it is
// outside where there is less of it.
Patches patches_of(const SplatArrays& splats, int64_t count, const Box& solid, double cell, double size);

// Of the splats of the cast, those that stand for a member's patches.
struct Standing {
  SplatArrays splats;
  int64_t count;
  const int64_t* rows;
};

// What a member is to others: the cells that it fills, without strays. What of it lies outside of `solid` neither
// occludes nor is occluded.
class Occluder {
 public:
  // `cell` in metres, `reach` in metres and greater: occlusion fades out towards it.
  void fill(const Standing& member, const float* areas, const Box& solid, double cell, double reach);

  // The share of the light that each of others of the cast loses to it.
  std::vector<float> shade(const Standing& other) const;

  const Box& solid() const { return solid_; }
  const Box& within() const { return within_; }  // of everything that takes part
  const Depths& depths() const { return depths_; }
  double cell() const { return cell_; }
  double reach() const { return reach_; }

 private:
  Box solid_{{0, 0, 0}, {0, 0, 0}}, within_{{0, 0, 0}, {0, 0, 0}};
  double cell_ = 0, reach_ = 0;
  Cones cones_{1};
  Depths depths_;
};

// What a member and the set take from one another, as shares of the light.
struct Lost {
  std::vector<int64_t> rows;  // of the set, in no particular order
  std::vector<float> shares;
  std::vector<float> own;  // of the member's patches
};

// A set that stands still, and what has been found out about the parts of it that the cast came near to.
class Surroundings {
 public:
  Surroundings(const float* means, const float* quats, const float* scales, const float* opacities, int64_t count);
  ~Surroundings();
  Surroundings(const Surroundings&) = delete;
  Surroundings& operator=(const Surroundings&) = delete;

  // The same bits at any thread count, on any processor, and whatever was asked before.
  Lost contact(const Occluder&, const Standing& member, const float* sides);

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
