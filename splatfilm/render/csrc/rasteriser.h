// One picture from a set of splats, and its gradients: project, sort by depth, sort into tiles, blend.
#pragma once
#include <memory>
#include <vector>

#include "blocks.h"
#include "buffer.h"
#include "kernels.h"
#include "sort.h"

namespace splatfilm {

// A pair found by one part of the binning: the record at `position` touches `tile`.
struct Pair {
  int32_t tile, position;
};

// A rectangle of tiles whose pairs are held at one time: columns and rows, the last excluded.
struct Band {
  int column0, row0, column1, row1;
};

struct Counters {
  int64_t hidden = 0;       // blocks that were passed over
  int64_t visible = 0;      // splats with a record
  int64_t pairs = 0;        // of splats and tiles
  int64_t evaluations = 0;  // of splats at pixels, in the forward pass
  double seconds[6] = {};   // projecting, sorting, binning, blending; backward: blending, projecting
};

// What the forward pass leaves for the backward pass. Also its working memory, which is used again for the next frame.
struct Workspace {
  View view;
  Counters counters;

  std::vector<uint8_t> seen;          // of each block; empty where splats are not looked at in blocks
  Buffer<float> records;              // a run's visible splats stand first in the run's place
  std::vector<int32_t> run_visible;   // records in each run
  std::vector<int64_t> run_pairs;     // of splats and tiles, at most, by each run's bounding boxes
  std::vector<int64_t> run_offsets;   // of each run's records in depth-sort input
  Sorting sorting;                    // bits of camera z or squared distance, and positions of records

  std::vector<Band> bands;  // of the frame; the lists below are those of the band that was binned last
  Buffer<float> record_sums;  // where there are several bands: each record's gradients, added up band by band

  std::vector<Buffer<Pair>> part_pairs;  // one for each part of the sorted splats
  std::vector<int64_t> part_counts, part_begins;
  std::vector<std::vector<int32_t>> part_tiles;  // pairs that a part has in each tile; then where they go
  Buffer<SlotRange> ranges;                      // pairs of each record
  std::vector<int64_t> tile_begins;
  Buffer<int32_t> tile_positions;
  Buffer<int32_t> pair_slots;  // where in tile order each pair's sums are, by records

  Buffer<float> slots, channel_sums;
  Buffer<uint8_t> touched;

  int64_t bytes() const;
};

// The most pairs of splats and tiles that are held at one time (but one tile's are held whatever they are); pictures with
// more are made in bands, with the same bits. At least 1; for tests, 0 goes back to the default.
void set_most_pairs(int64_t pairs);

// A workspace that no one uses, with memory from earlier frames where there is some; give it back when done.
std::unique_ptr<Workspace> borrow_workspace();
void return_workspace(std::unique_ptr<Workspace>);

// What a frame may hold besides; null where it is not asked for.
struct Extras {
  const float* features = nullptr;  // [N, channels]
  int channels = 0;
  float* picture = nullptr;  // [H, W, channels]
  DepthPictures depths = {};
};

struct FeatureGradients {
  const float* picture = nullptr;  // dL/d(blended channels) [H, W, channels]
  float* features = nullptr;       // [N, channels], written for splats in view
};

// Blocks of the scene's first splats, and what they are held against.
struct Culling {
  const Blocks* blocks;
  Sight sight;
};

// `for_backward` also keeps what the backward pass needs; it does without culling. Culling changes no bit.
void rasterise(const Scene&, const View&, const Picture&, const Extras&, bool for_backward, Workspace&,
               const Culling* culling = nullptr);
// `picture` is what `rasterise` gave with this workspace and the same scene.
void rasterise_backward(const Scene&, const Picture& picture, const PictureGradients&, const SceneGradients&, Workspace&,
                        const Extras& = {}, const FeatureGradients& = {});
// Half extents of each splat's footprint, pixels; 0 where it is not in view. [count]
void footprints(const Scene&, const Workspace&, float* radii);

// Moves splats with the bones that carry them.
void skin(const SkinTask&);

struct LossValues {
  double loss, l1, ssim;
};
LossValues l1_ssim(const float* image, const float* target, const float* weight, int height, int width, double lambda,
                   float* gradient);

}  // namespace splatfilm
