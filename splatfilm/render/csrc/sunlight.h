// The sun on splats that hang on a mesh: which way they face in whatever pose, and what keeps the sun off them.
//
// A lamp that is far away has one direction for all, so what stands in its light is a map of heights towards it (L. Williams,
// "Casting curved shadows on curved surfaces", SIGGRAPH 1978): one of a set, made once, and one of the posed mesh.
#pragma once
#include <cstdint>
#include <vector>

namespace splatfilm {

// Towards a sun: `right` and `up` lie across its light.
struct Across {
  float right[3], up[3], towards[3];
};

// The highest of what stands at each place of a grid across a sun's light, metres towards it; -infinity where nothing does.
struct Heights {
  const float* heights = nullptr;  // [height, width]; null: nothing stands anywhere
  float low[2] = {0, 0};           // metres to the right and up: the first cell's corner
  float cell = 1;                  // metres
  int width = 0, height = 0;
};

// Vertices to the right, up and towards a sun: [count, 3]; the least and the most to the right and up.
std::vector<float> places_across(const float* vertices, int64_t count, const Across&, float (&low)[2], float (&high)[2]);

// Draws triangles, which are wound outwards, into a map: those that face the sun. `placed` [vertices, 3] across its light.
void draw_heights(const float* placed, const int32_t* triangles, int64_t count, const Heights& where, float* heights);

// Normals at a mesh's vertices, from the triangles around them by their areas; up where there are none.
void vertex_normals(const float* vertices, int64_t vertex_count, const int32_t* triangles, int64_t count, float* out);

struct Sun {
  Across across;
  // The window that it comes in by: its middle, into the room; and how wide and high it is. Out of doors `facing` is 0.
  float at[3], facing[3], wide, high;
  Heights set, own;
};

// Where splats hang on a mesh, and how much the line of a splat's normal is the mesh's there.
struct Hanging {
  const int32_t* corners;       // [count, 3] vertices
  const float* weights;         // [count, 3] of these
  const float* line;            // [count] share of the mesh's normal
  const float *axis, *quats;    // [count, 3] the rest of the splat's normal in its own axes, [count, 4]
  int64_t count;
};

// `facing` [count / 16 rounded up, 3, 16] unit normals; `reach` [suns, count / 16 rounded up, 16] the share of each sun.
void sun_on(const Hanging&, const float* vertices, const float* normals, const std::vector<Sun>&, float* facing, float* reach);

}  // namespace splatfilm
