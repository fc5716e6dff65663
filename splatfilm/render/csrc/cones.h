// Looking around on a lattice of depths: twenty cones, sixteen places at once.
//
// C. Crassin et al., "Interactive indirect illumination using voxel cone tracing", Pacific Graphics 2011: what a cone
// meets is looked up in copies of the lattice that were blurred as widely as the cone is there.
#pragma once
#include <cstdint>

namespace splatfilm {

constexpr int kAxes = 10;  // directions come in opposite pairs: the twenty corners of a dodecahedron
constexpr int kCones = 2 * kAxes;  // an axis' two directions side by side
constexpr int kSide = 4;            // cells along a side of what is found empty or not as one
constexpr float kAside = 3.0f;      // cells: a step from there stays in the block of the middle's, or beside it
constexpr int kBlurs = 4;             // copies of a lattice, ever wider
constexpr int kMostSteps = 31;     // of a cone: those of a reach of 300 000 cells
constexpr int kMostPlaces = kCones * 32;  // of steps side by side
constexpr float kUnit = 1.0f / 16384;  // of optical depth, which lattices count in whole numbers
constexpr float kFaint = 1.0f / 256;  // of the light: less than this is nothing, so that what is far away keeps its bits

// A step along a cone.
struct ConeStep {
  float x, y, z;  // cells from where it begins
  float length;   // cells that it stands for, times the unit of depth
  float fade;     // what an occluder counts here
  int width;      // which copy is wide enough
  bool blocks;    // far enough from the surface that what is here is something else
};

struct Cones {
  float axes[kAxes][3];
  int count;  // steps of every cone
  ConeStep steps[kCones][kMostSteps];
  // The same steps side by side, `stride` places a cone: sixteen of them are looked at together.
  int stride;                         // 8, 16 or 32
  float along[3][kMostPlaces];
  float narrower[kMostPlaces];        // how many copies are as wide or wider; more than there are where there is no step
  uint32_t ahead[3][2] = {};  // which of them lead up an axis, and down

  explicit Cones(double reach);  // in cells
};

// What is looked at from sixteen places, in cells from the first of the copies', half a cell added. What stands still
// between leaves the first open[16 d + lane] / 16 steps of cone d open, and (open % 16) / 15 of all others.
struct LookTask {
  const int32_t* copies[kBlurs];
  int nx, ny, nz;
  const Cones* cones;
  uint32_t able;  // a bit for each cone that can meet anything
  const float *x, *y, *z;
  const uint8_t* open;  // [kCones, 16]; null: nothing is between
  const uint8_t* last;  // [kCones] the step from which on nothing is open; null as `open` is
  // How many copies, counted from the widest, have anything in a block of cells or beside it: sizes in blocks, with one
  // more all around.
  const int32_t* filled_blocks;
  int blocks[3];
  const float* middle;  // [3] of the places, none of which is more than kAside cells away along an axis; null: they are
};

}  // namespace splatfilm
