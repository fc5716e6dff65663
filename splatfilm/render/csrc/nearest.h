// The nearest point of a triangle mesh, for many points.
#pragma once
#include <cstdint>

namespace splatfilm {

struct NearestTask {
  const double *points, *corners;  // [count, 3], [triangles, 3, 3]
  int64_t count, triangles;
  int64_t* triangle;    // [count] the first of several that are equally near
  double* barycentric;  // [count, 3]
  double* distance;     // [count]
};

void nearest(const NearestTask&);

}  // namespace splatfilm
