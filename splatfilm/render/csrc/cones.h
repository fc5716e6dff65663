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
constexpr int kMostSteps = 31;     // of a cone: those of a reach of 300 000 cells

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
  uint32_t ahead[3][2] = {};  // which of them lead up an axis, and down

  explicit Cones(double reach);  // in cells
};

// What is looked at from sixteen places, in cells from the first of the copies', half a cell added. What stands still
// between leaves the first open[16 d + lane] / 16 steps of cone d open, and (open % 16) / 15 of all others.
struct LookTask {
  const int32_t* copies[4];
  int nx, ny, nz;
  const Cones* cones;
  uint32_t able;  // a bit for each cone that can meet anything
  const float *x, *y, *z;
  const uint8_t* open;  // [kCones, 16]; null: nothing is between
  // Of each copy, whether anything is in a block of cells or beside it: sizes in blocks, with one more all around.
  const uint8_t* filled_blocks[4];
  int blocks[3];
  const float* middle;  // [3] of the places, none of which is more than kAside cells away along an axis; null: they are
  float* filled;        // [kCones, 16] how much of each cone is filled, 0..1
};

}  // namespace splatfilm
