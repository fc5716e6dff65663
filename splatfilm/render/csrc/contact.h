// How much of the light around each splat a member of the cast takes away, and what the set takes from that member.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "lattice.h"

namespace splatfilm {

// Rows begin..end of `cast` are the member. `solid` are the cells that it fills, without strays; what of it lies outside
// neither occludes nor is occluded.
struct ContactTask {
  SplatArrays cast;
  int64_t count, begin, end;  // `count` of the whole cast
  Box solid;
  double cell;   // metres
  double reach;  // metres, greater than `cell`: occlusion fades out towards it
};

// Rows that lose light, ascending, and the share of it, 0..1. The set's come first, the cast's are counted from its end.
struct Lost {
  std::vector<int64_t> rows;
  std::vector<float> shares;
};

// A set that stands still, and what has been found out about the parts of it that the cast came near to.
class Surroundings {
 public:
  Surroundings(const float* means, const float* quats, const float* scales, const float* opacities, int64_t count);
  ~Surroundings();
  Surroundings(const Surroundings&) = delete;
  Surroundings& operator=(const Surroundings&) = delete;

  // The same bits at any thread count, on any processor, and whatever was asked before.
  Lost contact(const ContactTask&);

 private:
  struct Window;
  Window& window(const Box& wanted, double cell, double reach);

  std::vector<float> means_, quats_, scales_, opacities_;
  SplatArrays splats_;
  int64_t count_;
  std::vector<std::unique_ptr<Window>> windows_;  // the last used first
  std::unique_ptr<Depths> own_;                   // of the last body: its memory is used again
  std::unique_ptr<std::mutex> busy_;
};

}  // namespace splatfilm
