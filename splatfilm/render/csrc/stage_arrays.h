// What the files that make Python functions of the stage share.
#pragma once
#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "bindings.h"
#include "lattice.h"

namespace splatfilm {

struct Arrays {
  SplatArrays splats;
  int64_t count;
};

inline Arrays arrays_of(const In& means, const In& quats, const In& scales, const In& opacities) {
  const int64_t n = means.ndim() ? int64_t(means.shape(0)) : 0;
  expect(means, "means", {n, 3});
  expect(quats, "quats", {n, 4});
  expect(scales, "scales", {n, 3});
  expect(opacities, "opacities", {n});
  return {{means.data(), quats.data(), scales.data(), opacities.data()}, n};
}

// A numpy array that owns what was in a vector.
template <typename T>
nb::ndarray<nb::numpy, T, nb::ndim<1>> handed_over(std::vector<T>&& values) {
  auto* kept = new std::vector<T>(std::move(values));
  nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  return {kept->data(), {kept->size()}, owner};
}

inline Box box_of(const std::vector<int64_t>& low, const std::vector<int>& size, double cell) {
  if (low.size() != 3 || size.size() != 3 || !(cell > 0))
    throw std::invalid_argument("a lattice has three sides and a cell greater than 0");
  for (int side : size)
    if (side < 1 || side > 1024) throw std::invalid_argument("a lattice has 1 to 1024 cells a side");
  return {{low[0], low[1], low[2]}, {size[0], size[1], size[2]}};
}

}  // namespace splatfilm
