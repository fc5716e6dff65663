// What falls on sixteen places of a member from its scene's lamps, in its own shadow: what lamps.cpp asks the kernels.
#pragma once
#include <cstdint>

#include "cones.h"

namespace splatfilm {

enum class LampKind { kSun, kPanel, kPoint };

// A lamp, or a quarter of a panel: one shadow, of which four parts shine.
struct Shining {
  LampKind kind;
  int lamp;                 // whose part it is
  float power;              // as `falls` counts it, per unit of a lamp's colour
  float at[3], travels[3];  // metres; unit
  float right[3], up[3];    // of a panel's quarter: from its middle to its edges
  float facing[3];          // of a sun's window, into the room; 0: out of doors
  float across, high;       // of that window, metres
};

constexpr float kOpaque = 1.65f;    // optical depth that lets nothing through
constexpr float kFaintest = 2e-3f;  // light over pi that is too little to look for
constexpr float kReach = 32.0f;     // cells that light from all around is looked for

// A member's own depths, and sixteen places of it.
struct FallTask {
  const int32_t* fine;             // as they are, in cells half as wide
  const int32_t* coarse[kBlurs];   // as they are, and ever wider
  int fine_size[3], coarse_size[3];
  const Cones* cones;              // whose axes light from all around comes along
  const Shining* lamps;
  int count;                       // of lamps
  float at[3][16], normals[3][16];  // metres; unit
  // Where they look from, in cells from the lattices' first, half a cell added: off the surface, for lamps in both
  // lattices and for light from all around in the coarse one.
  float near[3][16], far[3][16], around[3][16];
  const float* lets_by;  // [count, 16] the share that the set lets by
  float* open;           // [16] of light from all around, the share that the member itself does not stop
  float* vectors;        // [lamps, 3, 16] over pi, towards each whole lamp: added to
};

}  // namespace splatfilm
