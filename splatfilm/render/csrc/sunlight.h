// The sun on splats that hang on a mesh: which way they face in whatever pose, and what keeps the sun off them.
//
// A lamp that is far away has one direction for all, so what stands in its light is a map of heights towards it (L. Williams,
// "Casting curved shadows on curved surfaces", SIGGRAPH 1978): one of a set, made once, and one of the posed mesh.
#pragma once
#include <cstdint>
#include <vector>

#include "falling.h"

namespace splatfilm {

constexpr float kHeightUnit = 1e-4f;           // metres: heights are counted in whole ones
constexpr int32_t kNothingThere = -(1 << 30);  // of a cell that nothing stands in

// Towards a sun: `right` and `up` lie across its light.
struct Across {
  float right[3], up[3], towards[3];
};

// The highest of what stands in each cell of a grid across a sun's light. Outside of it nothing does.
struct Heights {
  const int32_t* heights = nullptr;  // [height, width]; null: nothing stands anywhere
  float low[2] = {0, 0};             // metres to the right and up: the first cell's corner
  float cell = 1;                    // metres
  int width = 0, height = 0;
};

struct Sun {
  Across across;
  Shining lamp;  // its window
  Heights set, own;
};

// Splats on a mesh, sixteen a block. A splat's normal is a share of the mesh's and what its own axis leans away from that.
struct SunTask {
  const float* vertices;            // [vertices, 6] where they are, metres, and their unit normals
  const int32_t* corners;           // [count, 3] vertices
  const float *weights, *line;      // [blocks, 3, 16] of these, [blocks, 16] the mesh's share
  const float *axis, *quats;        // [blocks, 3, 16] what leans away, in the splats' own axes; [count, 4]
  int64_t count;
  const Sun* suns;
  int64_t sun_count;
  float *facing, *reach;            // [blocks, 3, 16] unit normals, [suns, blocks, 16] the share of each sun
};

void sun_on_splats(const SunTask&);

// Vertices to the right, up and towards a sun: [count, 3]; the least and the most to the right and up.
std::vector<float> places_across(const float* vertices, int64_t count, const Across&, float (&low)[2], float (&high)[2]);

// Draws triangles, which are wound outwards, into a map: those that face the sun. `placed` [vertices, 3] across its light.
void draw_heights(const float* placed, const int32_t* triangles, int64_t count, const Heights& where, int32_t* heights);

// Normals at a mesh's vertices, from the triangles around them by their areas; up where there are none. `out` [count, 6] gets
// the vertices too.
void with_normals(const float* vertices, int64_t vertex_count, const int32_t* triangles, int64_t count, float* out);

}  // namespace splatfilm
