// Splats on triangles that blendshapes move: where they go before bones carry them, and how they are turned and stretched.
// In double precision, by operations whose results IEEE 754 fixes: the same bits on every processor.
#pragma once
#include <cstdint>
#include <vector>

namespace splatfilm {

// The part of a mesh that shapes move, and the splats that hang on it.
struct CageTask {
  const double *vertices, *offsets;  // [vertex_count, 3] at rest, and by how much they are moved
  const int64_t* triangles;          // [triangle_count, 3]
  const double* inverse_frames;      // [triangle_count, 3, 3] of the triangles at rest: two edges and the normal
  const int64_t *rows, *triangle;    // [count] of the splats, and which triangle each hangs on
  const double *points, *away;       // [count, 3] barycentric, and from there to the splat at rest
  int64_t vertex_count, triangle_count, count;
  double most;   // that a splat may be stretched, or its inverse
  float* means;  // [*, 3] rows of moved splats are written
};

// Which splats were moved, and the rotation and the stretch, xx xy xz yy yz zz, of F = V R for each.
struct Shaped {
  std::vector<int64_t> rows;
  std::vector<double> turns, stretches;  // [n, 4], [n, 6]
};

Shaped shape(const CageTask&);

// Puts them into splats that bones have carried since: the gradient of both is (B V B^T)(B R).
void put_shapes(const int64_t* rows, const double* turns, const double* stretches, int64_t count, float* quats,
                float* bone_turns, float* out_stretches);

}  // namespace splatfilm
