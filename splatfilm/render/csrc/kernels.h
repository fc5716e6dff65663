// What the orchestration (rasteriser.cpp, loss.cpp) and the kernels (one copy for each instruction set) say to each other.
#pragma once
#include <cstdint>
#include <cstddef>

#include "cones.h"
#include "falling.h"
#include "sunlight.h"

namespace splatfilm {

constexpr int kLanes = 16;
constexpr int kTile = 16;          // px, side of a tile: sixteen blocks of 4 x 4 pixels, one vector each
constexpr int kRecord = 16;        // floats in a projected splat's record: one cache line
constexpr int kSlot = 16;          // floats in a (splat, tile) pair's partial gradients
constexpr int kFeatureGroup = 8;  // extra channels that one replay of a tile blends
constexpr int kProjectRun = 1024;  // splats that one task projects

// A projected splat's record. With d = pixel centre - (X, Y), u = U1 dx + U2 dy and v = V2 dy, the splat's alpha is
// 2^(LOG2 - u^2 - v^2): the Cholesky factor of the conic, which stays accurate where the conic itself would cancel.
enum Record { X, Y, U1, U2, V2, LOG2, RED, GREEN, BLUE, Z, REACH, X_OF_Y, Y_OF_X, EXTENT_X, EXTENT_Y, ID };

// A pair's partial gradients: sums over the tile's pixels of h = dL/d(ln alpha) and of weight times dL/d(pixel).
enum Slot { H, HU, HV, HUU, HUV, HVV, D_RED, D_GREEN, D_BLUE, D_Z, ABS_X, ABS_Y, SLOT_FIELDS };

enum Distortion { kPinhole, kBrownConrady, kKannalaBrandt };

struct View {
  float rotation[9];  // world to camera, row-major
  float position[3];  // of the camera, world
  float fx, fy, cx, cy;
  float near_z, far_z;
  float limit_left, limit_right, limit_top, limit_bottom;  // where x/z and y/z are clamped inside the Jacobian
  float background[3];
  int distortion;  // of `Distortion`
  float bend[8];   // its coefficients
  float farthest;  // greatest (x/z)^2 + (y/z)^2 that the lens is a model of
  float shift_x, shift_y;  // what a point of the pupil beside its middle adds to x/z and y/z before the lens bends them
  int width, height;  // of the window that is drawn
  int left, top;      // its first pixel: multiples of kTile, not above 0 where there is overscan
  int degree;        // of spherical harmonics that are evaluated
  bool antialiased;  // all splats; `Scene::antialiased` says it of each where they differ
  bool by_distance;  // sort by distance from the camera instead of camera z
};

struct Scene {  // row-major float32 arrays of `count` splats
  const float *means, *quats, *scales, *opacities, *sh;
  int64_t count;
  int basis;  // spherical harmonics coefficients stored for each channel
  // Of splats that a driver has moved; either may be null. Forward pass only.
  const float* stretches = nullptr;  // [count, 6] symmetric xx xy xz yy yz zz, applied to the splat's axes in the world
  const float* turns = nullptr;      // [count, 4] wxyz: how far the splat has turned since its colours were learnt
  const uint8_t* antialiased = nullptr;  // [count] 1 for splats that lose opacity with the blur; null: all as the view says
  // [count] or null: where a splat's colours, motion and mode are, and its number, when its shape stands in another
  // order. Forward pass only.
  const int32_t* rows = nullptr;
};

// Dual quaternion skinning of `count` splats, each carried by up to four bones.
struct SkinTask {
  const float *means, *quats;  // [count, 3], [count, 4] at rest; `quats` null: only points are moved
  const int32_t* joints;       // [count, 4]
  const float* weights;        // [count, 4], the heaviest first, summing to 1
  const float* bones;          // [bones, 8] unit dual quaternions from rest to now: real wxyz, dual wxyz
  int64_t count;
  float *out_means, *out_quats, *turns;  // [count, 3], [count, 4], [count, 4]; the last two null for points
};

constexpr int kLampsTogether = 5;  // in a row of sixteen numbers, after the share of light from all around

// Light as second-order spherical harmonics at two heights; what falls on a splat between them is blended. With lamps,
// that is shaded by the member itself, and the lamps are added; then it is compared with what fell in the studio.
struct LightTask {
  const float *means, *quats;  // [count, 3] metres, [count, 4]
  // [count / 16 rounded up, 9, 16] of splats: normals in their own axes, colours that they show all in all, and these as
  // light.
  const float* surface;
  int64_t count;
  float below[9][3], above[9][3];  // over pi
  float low, high;                 // metres: where they hold
  float strength, gain, most;      // `most` that a display-referred colour is multiplied by
  float* gains;                    // [count, 3] of display-referred colours
  const int32_t* patch = nullptr;  // [count] of each splat; -1: it gets nothing
  const float* lamps = nullptr;    // [sheets, patches, 16]; null: there are none
  int64_t sheets = 0, patches = 0;
  const float* looks = nullptr;    // [5 sheets, 4] colours, and the part of its vector that a lamp's size makes up
  const float* studio = nullptr;   // [count / 16 rounded up, 3, 16] over pi
  const float* facing = nullptr;   // [count / 16 rounded up, 3, 16] normals in the scene; null: the surface's, turned
  const float* suns = nullptr;     // [sun_count, 6] towards each, and what falls of it over pi
  int64_t sun_count = 0;
  const float* reach = nullptr;    // [sun_count, count / 16 rounded up, 16] the share of each that gets to splats
};

// How a mesh's triangles are stretched in their planes by the bones that carry their corners.
struct DrapeTask {
  const float* corners;      // [vertices, 3] where bones have carried them
  const int64_t* triangles;  // [triangle_count, 3]
  const float* rest;         // [triangle_count, 3] a, b, c of the inverse [a b; 0 c] of the triangle's edges at rest
  const int64_t* triangle;   // [count] that each splat hangs on
  int64_t triangle_count, count;
  float most;  // that a splat is stretched, or its inverse
  float* found;  // [triangle_count, 6] of the triangles
  float* out;    // [count, 6] symmetric xx xy xz yy yz zz in the axes of the scene; identities where nothing is stretched
};

struct SceneGradients {
  float *means, *quats, *scales, *opacities, *sh;
  float* absolute;  // [count, 2] sums over pixels of |dL/d(projected mean)|, or null
  double* pose;     // [runs, 6] dL/d(turn, move) of the camera, one row a run of splats (their sum: [6]), or null
};

struct Picture {
  float* beauty;  // [H, W, 3] over the background
  float* alpha;   // [H, W]
  float* depth;   // [H, W] expected
};

struct PictureGradients {  // null for zeros
  const float *beauty, *alpha, *depth;
};

// A group of at most kFeatureGroup of the splats' extra channels.
struct FeatureSource {
  const float* values;  // [N, channels]
  int channels;
  int first, count;  // of the group
};

struct DepthPictures {
  float *median, *front;  // [H, W], both or neither
};

// One tile's splats, front to back.
struct TileList {
  const int32_t* positions;  // of records
  int64_t first_slot;        // of the first pair; the others follow
  int64_t count;
  int column, row;  // of the tile
};

struct PairSums {
  float* slots;          // kSlot floats a pair, in the tiles' order, so that tiles write one after the other
  uint8_t* touched;      // 0: the pair contributed nothing and its slot was not written
  const int32_t* of_pair;  // a pair's slot; pairs in the records' order
};

struct SlotRange {
  int64_t begin;
  int32_t count;
};

struct LossTask {
  const float *image, *target;  // [H, W, 3]
  const float* weight;          // [H, W] or null
  int height, width;
  float ssim_scale, l1_scale;  // dLoss/d(one value of the SSIM map), dLoss/d|difference|, each times the pixel's weight
  float* maps;                 // scratch: three maps of height x stride
  int64_t stride;              // floats in a row of a map
  double* row_sums;            // [H, 2]: weighted sums of |difference| and of SSIM
  float* gradient;             // [H, W, 3]
};
// Floats of scratch that a band of rows needs.
int64_t loss_scratch(int width);

struct Kernels {
  const char* name;
  // Projects splats begin..end and writes the records of those in view, one after the other; returns how many.
  int (*project)(const Scene&, const View&, int64_t begin, int64_t end, float* records);
  // Gradients of splats begin..end: zeros for those out of view. `records` and `ranges` begin at the run's first.
  void (*project_backward)(const Scene&, const View&, int64_t begin, int64_t end, const float* records, int visible,
                           const SlotRange* ranges, const PairSums&, const SceneGradients&);
  // Blends one tile into the picture; returns how many (splat, 4 x 4 block) pairs it evaluated.
  int64_t (*blend)(const View&, const TileList&, const float* records, const Picture&);
  void (*blend_backward)(const View&, const TileList&, const float* records, const Picture&, const PictureGradients&,
                         bool absolute, const PairSums&);
  // Blends a group of extra channels into out [H, W, channels], and the two other depths.
  void (*blend_features)(const View&, const TileList&, const float* records, const FeatureSource&, float* out);
  // After blend_backward: adds the group's share to the pairs' moments; the channels' own sums go to `channel_sums`.
  void (*blend_features_backward)(const View&, const TileList&, const float* records, const FeatureSource&,
                                  const float* picture, const float* d, const PairSums&, float* channel_sums);
  void (*blend_depths)(const View&, const TileList&, const float* records, const DepthPictures&);
  void (*skin)(const SkinTask&, int64_t begin, int64_t end);
  // How much of each cone is filled, 0..1 [kCones, 16]. Whether anything is met; where not, nothing is written.
  bool (*look_around)(const LookTask&, float* filled);
  // The share of light that surfaces with `normals` [3, 16] lose on the side that loses more [16]; as above.
  bool (*look_from_surfaces)(const LookTask&, const float* normals, float* shares);
  void (*loss_forward)(const LossTask&, int row_begin, int row_end, float* scratch);
  void (*loss_backward)(const LossTask&, int row_begin, int row_end, float* scratch);
  void (*add_light)(const float* display, float* light, int64_t count);
  void (*to_display)(float* light, float scale, int64_t count);
  void (*light_gains)(const LightTask&, int64_t begin, int64_t end);
  void (*fall_on)(const FallTask&);
  void (*sun_on)(const SunTask&, int64_t begin, int64_t end);  // blocks of sixteen
  void (*stretch_triangles)(const DrapeTask&, int64_t begin, int64_t end);
  // Pair evaluations of the blend's inner loop on data that stays in the first cache: the ceiling for benchmarks.
  int64_t (*ceiling)(int64_t rounds, float* sink);
};

extern const Kernels kernels_avx512, kernels_avx2, kernels_neon, kernels_portable;

// The kernels in use: the best that this processor has, or what `choose_kernels` asked for.
const Kernels& kernels();
// False when this build or processor lacks `name`; an empty name goes back to the best.
bool choose_kernels(const char* name);
bool kernels_available(const char* name);

}  // namespace splatfilm
