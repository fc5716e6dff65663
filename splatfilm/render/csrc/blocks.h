// Splats in blocks of neighbours, so that what a camera cannot see is passed over a block at a time.
#pragma once
#include <vector>

#include "buffer.h"
#include "kernels.h"

namespace splatfilm {

constexpr int64_t kBlock = 256;  // splats; a run of the projection is a whole number of blocks
static_assert(kProjectRun % kBlock == 0, "a block lies in one run");

struct Block {
  float low[3], high[3];  // of the centres of all splats that can be drawn at all, world
  float sigmas;           // standard deviations that the most opaque of them reaches
  float reach;            // how far from its centre the largest of them reaches, world
};

// The first splats of a scene in the order of a Morton curve, with their shapes at hand in that order. The last block may
// hold fewer than the others.
struct Blocks {
  Buffer<int32_t> rows;                             // [count] where they are in the scene
  Buffer<float> means, quats, scales, opacities;  // as the scene has them
  int64_t count = 0;
  std::vector<Block> blocks;
};

// Of all splats of the scene; its colours are not asked for. Splats that are never drawn (not a number somewhere, too
// transparent) belong to a block and not to its bounds.
void make_blocks(const Scene&, Blocks&);

// The scene's first splats as the blocks have them.
Scene scene_in_blocks(const Scene&, const Blocks&);

// Of a view, what blocks are held against. Limits are of x/z and y/z; a splat beyond one of them by more than its own
// reach is out of the picture.
struct Sight {
  double left, right, top, bottom;
  double aside_x, aside_y;  // how much of a splat's reach counts in the directions of x and y
  double pixel_x, pixel_y;  // of x/z and y/z: what the blur adds is in pixels
  double scale, room;  // the limits hold for splats of a reach r at depth z whose scale * r / z is at most `room` pixels
};

// True only when no splat of the block gets a record in this view: rounding, here and there, is allowed for.
bool hidden(const Block&, const View&, const Sight&);

}  // namespace splatfilm
