// The extension's functions of the sun on what hangs on a mesh.
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "stage_arrays.h"
#include "sunlight.h"

namespace splatfilm {
namespace {

using Numbers = std::vector<double>;
using Map = std::tuple<InInt, Numbers>;  // heights [H, W]; the first cell's corner, to the right and up, and the cell

int64_t rows_of(const In& rows) { return rows.ndim() ? int64_t(rows.shape(0)) : 0; }

void expect_corners(const InInt& corners, int64_t vertices) {
  for (int64_t i = 0; i < int64_t(corners.size()); ++i)
    if (uint64_t(corners.data()[i]) >= uint64_t(vertices)) throw std::invalid_argument("a corner that is no vertex");
}

Across across_of(const Numbers& numbers) {
  if (numbers.size() < 9) throw std::invalid_argument("three vectors say which way a sun shines");
  Across across;
  for (size_t k = 0; k < 3; ++k)
    across.right[k] = float(numbers[k]), across.up[k] = float(numbers[3 + k]), across.towards[k] = float(numbers[6 + k]);
  return across;
}

Heights heights_of_map(const Map& map) {
  const auto& [heights, place] = map;
  if (!heights.size()) return {};
  if (heights.ndim() != 2 || place.size() != 3 || !(place[2] > 0)) throw std::invalid_argument("a map has rows, a corner and a cell");
  return {heights.data(), {float(place[0]), float(place[1])}, float(place[2]), int(heights.shape(1)), int(heights.shape(0))};
}

// Triangles of a mesh of so many vertices, looked through once.
struct Triangles {
  std::vector<int32_t> corners;
  int64_t vertices;

  Triangles(const InInt& given, int64_t of) : corners(given.data(), given.data() + given.size()), vertices(of) {
    expect(given, "triangles", {int64_t(given.size()) / 3, 3});
    expect_corners(given, of);
  }
  int64_t count() const { return int64_t(corners.size()) / 3; }
};

// Where splats hang on such a mesh, as `SunTask` has it.
struct Feet {
  std::vector<int32_t> corners;
  std::vector<float> weights, line, axis;
  int64_t count, vertices;

  Feet(const InInt& on, const In& by, const In& share, const In& leaning, int64_t of)
      : corners(on.data(), on.data() + on.size()), weights(by.data(), by.data() + by.size()),
        line(share.data(), share.data() + share.size()), axis(leaning.data(), leaning.data() + leaning.size()),
        count(int64_t(on.size()) / 3), vertices(of) {
    const int64_t blocks = (count + 15) / 16;
    expect(on, "corners", {count, 3});
    expect(by, "weights", {blocks, 3, 16});
    expect(share, "line", {blocks, 16});
    expect(leaning, "axis", {blocks, 3, 16});
    expect_corners(on, of);
  }
};

// Vertices and their normals: [V, 6].
void normals_at(const Triangles& triangles, const In& vertices, const Out& out) {
  const int64_t v = rows_of(vertices);
  expect(vertices, "vertices", {triangles.vertices, 3});
  expect(out, "out", {v, 6});
  const nb::gil_scoped_release release;
  with_normals(vertices.data(), v, triangles.corners.data(), triangles.count(), out.data());
}

// Where vertices are across a sun's light: [V, 3], and the least and the most to the right and up.
auto placed_across(const In& vertices, const Numbers& across) {
  const int64_t v = rows_of(vertices);
  expect(vertices, "vertices", {v, 3});
  const Across way = across_of(across);
  std::vector<float> placed;
  float low[2], high[2];
  {
    const nb::gil_scoped_release release;
    placed = places_across(vertices.data(), v, way, low, high);
  }
  return std::make_tuple(handed_over(std::move(placed)), double(low[0]), double(low[1]), double(high[0]), double(high[1]));
}

// Draws triangles into heights [H, W], which hold what is there already; `corner` and `cell` as a map has them.
void draw(const Triangles& triangles, const In& placed, const Numbers& where,
          const nb::ndarray<int32_t, nb::c_contig, nb::device::cpu>& heights) {
  expect(placed, "placed", {3 * triangles.vertices});
  if (heights.ndim() != 2 || where.size() != 3 || !(where[2] > 0)) throw std::invalid_argument("a map has rows, a corner and a cell");
  const Heights map{heights.data(), {float(where[0]), float(where[1])}, float(where[2]), int(heights.shape(1)), int(heights.shape(0))};
  const nb::gil_scoped_release release;
  draw_heights(placed.data(), triangles.corners.data(), triangles.count(), map, heights.data());
}

// `suns`: of each its three vectors, its window's middle, the way into the room, how wide and high; the set's map, its own.
void sun_on(const Feet& feet, const In& quats, const In& vertices, const std::vector<std::tuple<Numbers, Map, Map>>& suns,
            const Out& facing, const Out& reach) {
  const int64_t n = feet.count, blocks = (n + 15) / 16;
  expect(quats, "quats", {n, 4});
  expect(vertices, "vertices", {feet.vertices, 6});
  expect(facing, "facing", {blocks, 3, 16});
  expect(reach, "reach", {int64_t(suns.size()), blocks, 16});
  std::vector<Sun> given;
  for (const auto& [numbers, set, own] : suns) {
    if (numbers.size() != 17) throw std::invalid_argument("a sun takes 17 numbers");
    Sun sun{across_of(numbers), {}, heights_of_map(set), heights_of_map(own)};
    sun.lamp.kind = LampKind::kSun, sun.lamp.across = float(numbers[15]), sun.lamp.high = float(numbers[16]);
    for (size_t k = 0; k < 3; ++k) {
      sun.lamp.at[k] = float(numbers[9 + k]), sun.lamp.facing[k] = float(numbers[12 + k]);
      sun.lamp.travels[k] = -sun.across.towards[k];
    }
    given.push_back(sun);
  }
  const nb::gil_scoped_release release;
  sun_on_splats({vertices.data(), feet.corners.data(), feet.weights.data(), feet.line.data(), feet.axis.data(), quats.data(), n,
                 given.data(), int64_t(given.size()), facing.data(), reach.data()});
}

}  // namespace

void bind_sunlight(nb::module_& m) {
  nb::class_<Triangles>(m, "Triangles")
      .def(nb::init<const InInt&, int64_t>())
      .def("with_normals", &normals_at)
      .def("draw", &draw);
  nb::class_<Feet>(m, "Feet").def(nb::init<const InInt&, const In&, const In&, const In&, int64_t>()).def("sun", &sun_on);
  m.def("placed_across", &placed_across);
}

}  // namespace splatfilm
