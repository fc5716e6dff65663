// How much of the light around each splat a member of the cast takes away, and what the set takes from that member.
#pragma once
#include <cstdint>

namespace splatfilm {

// Rows own_begin..own_end are the member, rows 0..set_count the set. The lattice has `size` points, `cell` metres apart,
// the first at `low` cells from the origin of the scene; nothing beyond it occludes or is occluded.
struct ContactTask {
  const float *means, *quats, *scales, *opacities;  // [count, 3], [count, 4], [count, 3], [count]
  int64_t count, set_count, own_begin, own_end;
  int64_t low[3];
  int size[3];
  double cell;      // metres
  double reach;     // metres, greater than `cell`: occlusion fades out towards it
  float* occluded;  // [count] share of the light around that is taken away, 0..1; written for every row
};

// The same bits at any thread count and on any processor.
void contact(const ContactTask&);

}  // namespace splatfilm
