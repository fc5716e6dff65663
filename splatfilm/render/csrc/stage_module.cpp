// The stage's functions of the extension `splatfilm.render._kernels`: contact shadows, light, shapes.
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "bindings.h"
#include "contact.h"
#include "drape.h"
#include "shade.h"
#include "shapes.h"
#include "stage_arrays.h"

namespace splatfilm {
namespace {

using namespace nb::literals;

// Rows of some of the cast, `begin` further on than they are counted from.
struct Some {
  std::vector<int64_t> rows;
  Standing standing;
};

Some some_of(const SplatArrays& splats, int64_t count, int64_t begin, const InLong& rows) {
  Some some{{rows.data(), rows.data() + rows.size()}, {splats, int64_t(rows.size()), nullptr}};
  for (int64_t& row : some.rows) {
    row += begin;
    if (uint64_t(row) >= uint64_t(count)) throw std::invalid_argument("a member's rows are rows of the cast");
  }
  some.standing.rows = some.rows.data();
  return some;
}

void fill(Occluder& self, const In& means, const In& quats, const In& scales, const In& opacities, int64_t begin,
          const InLong& rows, const In& areas, const std::vector<int64_t>& low, const std::vector<int>& size, double cell,
          double reach) {
  const auto [splats, count] = arrays_of(means, quats, scales, opacities);
  const Some own = some_of(splats, count, begin, rows);
  expect(areas, "areas", {own.standing.count});
  const Box solid = box_of(low, size, cell);
  if (!(reach > cell)) throw std::invalid_argument("a reach is greater than the cell");
  if (reach > 512 * cell) throw std::invalid_argument("a reach is at most 512 cells");
  if (grown(solid, int(2 * reach / cell) + 64).cells() > (int64_t(1) << 30))
    throw std::invalid_argument("a lattice has at most 2^30 cells");
  const nb::gil_scoped_release release;
  self.fill(own.standing, areas.data(), solid, cell, reach);
}

auto contact_of(Surroundings& set, const Occluder& occluder, const In& means, const In& quats, const In& scales,
                const In& opacities, int64_t begin, const InLong& rows, const In& sides) {
  const auto [splats, count] = arrays_of(means, quats, scales, opacities);
  const Some own = some_of(splats, count, begin, rows);
  if (!(occluder.cell() > 0)) throw std::invalid_argument("an occluder is filled before it is used");
  expect(sides, "sides", {own.standing.count});
  Lost lost;
  {
    const nb::gil_scoped_release release;
    lost = set.contact(occluder, own.standing, sides.data());
  }
  return std::make_tuple(handed_over(std::move(lost.rows)), handed_over(std::move(lost.shares)),
                         handed_over(std::move(lost.own)));
}

auto shade_of(const Occluder& occluder, const In& means, const In& quats, const In& scales, const In& opacities, int64_t begin,
              const InLong& rows) {
  const auto [splats, count] = arrays_of(means, quats, scales, opacities);
  const Some other = some_of(splats, count, begin, rows);
  if (!(occluder.cell() > 0)) throw std::invalid_argument("an occluder is filled before it is used");
  std::vector<float> shares;
  {
    const nb::gil_scoped_release release;
    shares = occluder.shade(other.standing);
  }
  return handed_over(std::move(shares));
}

// Rows, areas, sides of the patches; the patch of each splat.
auto patches(const In& means, const In& quats, const In& scales, const In& opacities, const std::vector<int64_t>& low,
             const std::vector<int>& size, double cell, double side) {
  const auto [splats, count] = arrays_of(means, quats, scales, opacities);
  const Box solid = box_of(low, size, cell);
  if (!(side > 0)) throw std::invalid_argument("a patch has a size greater than 0");
  Patches found;
  {
    const nb::gil_scoped_release release;
    found = patches_of(splats, count, solid, cell, side);
  }
  return std::make_tuple(handed_over(std::move(found.rows)), handed_over(std::move(found.areas)),
                         handed_over(std::move(found.sides)), handed_over(std::move(found.patch)));
}

// Multiplies `kept` at rows by 1 - strength share.
void keep(const InLong& rows, const In& shares, double strength, const Out& kept) {
  const int64_t count = int64_t(rows.size()), n = int64_t(kept.size());
  expect(shares, "shares", {count});
  expect(kept, "kept", {n});
  for (int64_t i = 0; i < count; ++i) {
    if (uint64_t(rows.data()[i]) >= uint64_t(n)) throw std::invalid_argument("a row that is no splat");
    kept.data()[rows.data()[i]] *= 1.0f - float(strength) * shares.data()[i];
  }
}

// `numbers`: light at two heights 27 and 27, the heights, strength, gain, most.
LightTask light_task(const In& means, const In& quats, const In& surface, const std::vector<double>& numbers, const Out& gains) {
  const int64_t n = means.ndim() ? int64_t(means.shape(0)) : 0;
  expect(means, "means", {n, 3});
  expect(quats, "quats", {n, 4});
  expect(surface, "surface", {(n + kLanes - 1) / kLanes, 9, kLanes});
  expect(gains, "gains", {n, 3});
  if (numbers.size() != 59) throw std::invalid_argument("light takes 59 numbers");
  LightTask task{means.data(), quats.data(), surface.data(), n, {}, {}, float(numbers[54]), float(numbers[55]),
                 float(numbers[56]), float(numbers[57]), float(numbers[58]), gains.data()};
  for (int k = 0; k < 27; ++k) {
    task.below[k / 3][k % 3] = float(numbers[size_t(k)]);
    task.above[k / 3][k % 3] = float(numbers[size_t(27 + k)]);
  }
  return task;
}

void light_of(const In& means, const In& quats, const In& surface, const std::vector<double>& numbers, const Out& gains) {
  const LightTask task = light_task(means, quats, surface, numbers, gains);
  const nb::gil_scoped_release release;
  light(task);
}

// Of lamps too. `lamps`: [sheets, P, 16] of patches: the share of light from all around, and five lamps' vectors; `looks`:
// [5 sheets, 4] of lamps: colour, and how soft they are; `studio` [N / 16 rounded up, 3, 16]: what fell there; `patch` [N]. `sunlight`, empty
// or: normals [N / 16 rounded up, 3, 16], suns [S, 6] (towards each, what falls of it over pi), their shares [S, blocks, 16].
void light_of_lamps(const In& means, const In& quats, const In& surface, const std::vector<double>& numbers, const InInt& patch,
                    const In& lamps, const In& looks, const In& studio, const std::tuple<In, In, In>& sunlight, const Out& gains) {
  LightTask task = light_task(means, quats, surface, numbers, gains);
  const int64_t sheets = lamps.ndim() == 3 ? int64_t(lamps.shape(0)) : 0, patches = sheets ? int64_t(lamps.shape(1)) : 0;
  expect(patch, "patch", {task.count});
  expect(lamps, "lamps", {sheets, patches, kLanes});
  expect(looks, "looks", {kLampsTogether * sheets, 4});
  expect(studio, "studio", {(task.count + kLanes - 1) / kLanes, 3, kLanes});
  if (sheets < 1) throw std::invalid_argument("lamps come in one sheet at least");
  for (int64_t i = 0; i < task.count; ++i)
    if (patch.data()[i] >= patches || patch.data()[i] < -1) throw std::invalid_argument("a patch that is none");
  task.patch = patch.data(), task.lamps = lamps.data(), task.sheets = sheets, task.patches = patches;
  task.looks = looks.data(), task.studio = studio.data();
  const auto& [facing, suns, reach] = sunlight;
  if (facing.size()) {
    const int64_t count = suns.ndim() == 2 ? int64_t(suns.shape(0)) : 0, blocks = (task.count + kLanes - 1) / kLanes;
    expect(facing, "facing", {blocks, 3, kLanes});
    expect(suns, "suns", {count, 6});
    expect(reach, "reach", {count, blocks, kLanes});
    task.facing = facing.data(), task.suns = suns.data(), task.sun_count = count, task.reach = reach.data();
  }
  const nb::gil_scoped_release release;
  light(task);
}

// Whatever is empty counts as ones.
void paint_rows(const In& sh, const In& gains, const In& kept, const In& before, bool fresh, const Out& out) {
  const int64_t n = sh.ndim() == 3 ? int64_t(sh.shape(0)) : 0, basis = sh.ndim() == 3 ? int64_t(sh.shape(1)) : 0;
  expect(sh, "sh", {n, basis, 3});
  expect(out, "out", {n, basis, 3});
  if (gains.size()) expect(gains, "gains", {n, 3});
  if (kept.size()) expect(kept, "kept", {n});
  if (before.size()) expect(before, "before", {n});
  const nb::gil_scoped_release release;
  paint({sh.data(), gains.size() ? gains.data() : nullptr, kept.size() ? kept.data() : nullptr,
         before.size() ? before.data() : nullptr, fresh, n, int(basis), out.data()});
}

// The same for splats that lose what their patches do; `kept` begins at the first of them.
void keep_patches(const InInt& patch, const In& shares, double strength, const Out& kept) {
  const int64_t count = int64_t(patch.size()), n = int64_t(shares.size());
  if (int64_t(kept.size()) < count) throw std::invalid_argument("more splats than are there");
  for (int64_t i = 0; i < count; ++i) {
    const int32_t own = patch.data()[i];
    if (own < 0) continue;
    if (own >= n) throw std::invalid_argument("a patch that is none");
    if (const float share = shares.data()[own]; share > 0) kept.data()[i] *= 1.0f - float(strength) * share;
  }
}

// The lowest and the highest corner of points.
std::vector<double> bounds(const In& points) {
  const int64_t n = points.ndim() ? int64_t(points.shape(0)) : 0;
  expect(points, "points", {n, 3});
  if (!n) throw std::invalid_argument("no points have no bounds");
  float low[3], high[3];
  for (int k = 0; k < 3; ++k) low[k] = high[k] = points.data()[k];
  for (int64_t i = 1; i < n; ++i)
    for (int k = 0; k < 3; ++k) {
      const float p = points.data()[3 * i + k];
      low[k] = p < low[k] ? p : low[k];
      high[k] = p > high[k] ? p : high[k];
    }
  return {low[0], low[1], low[2], high[0], high[1], high[2]};
}

// `cage`: vertices [V, 3], triangles [T, 3], inverse frames [T, 3, 3], rows [M], triangle [M], points [M, 3], away [M, 3].
auto shape_of(const std::tuple<InDouble, InLong, InDouble, InLong, InLong, InDouble, InDouble>& cage, const InDouble& offsets,
              double most, const Out& means) {
  const auto& [vertices, triangles, frames, rows, triangle, points, away] = cage;
  const int64_t v = int64_t(vertices.size()) / 3, t = int64_t(triangles.size()) / 3, m = int64_t(rows.size());
  const int64_t n = means.ndim() ? int64_t(means.shape(0)) : 0;
  expect(vertices, "vertices", {v, 3});
  expect(offsets, "offsets", {v, 3});
  expect(triangles, "triangles", {t, 3});
  expect(frames, "frames", {t, 3, 3});
  expect(rows, "rows", {m});
  expect(triangle, "triangle", {m});
  expect(points, "points", {m, 3});
  expect(away, "away", {m, 3});
  expect(means, "means", {n, 3});
  for (int64_t i = 0; i < 3 * t; ++i)
    if (uint64_t(triangles.data()[i]) >= uint64_t(v)) throw std::invalid_argument("a corner that is no vertex");
  for (int64_t i = 0; i < m; ++i)
    if (uint64_t(rows.data()[i]) >= uint64_t(n) || uint64_t(triangle.data()[i]) >= uint64_t(t))
      throw std::invalid_argument("a row that is no splat, or a triangle that is none");
  if (!(most > 1)) throw std::invalid_argument("the most that a splat is stretched is greater than 1");
  Shaped shaped;
  {
    const nb::gil_scoped_release release;
    shaped = shape({vertices.data(), offsets.data(), triangles.data(), frames.data(), rows.data(), triangle.data(), points.data(),
                    away.data(), v, t, m, most, means.data()});
  }
  return std::make_tuple(handed_over(std::move(shaped.rows)), handed_over(std::move(shaped.turns)),
                         handed_over(std::move(shaped.stretches)));
}

void put_shapes_into(const InLong& rows, const InDouble& turns, const InDouble& stretches, const Out& quats,
                     const Out& bone_turns, const Out& out) {
  const int64_t m = int64_t(rows.size()), n = quats.ndim() ? int64_t(quats.shape(0)) : 0;
  expect(turns, "turns", {4 * m});
  expect(stretches, "stretches", {6 * m});
  expect(quats, "quats", {n, 4});
  expect(bone_turns, "bone turns", {n, 4});
  expect(out, "out", {n, 6});
  for (int64_t i = 0; i < m; ++i)
    if (uint64_t(rows.data()[i]) >= uint64_t(n)) throw std::invalid_argument("a row that is no splat");
  const nb::gil_scoped_release release;
  put_shapes(rows.data(), turns.data(), stretches.data(), m, quats.data(), bone_turns.data(), out.data());
}

void drape_of(const In& corners, const InLong& triangles, const In& rest, const InLong& triangle, double most, const Out& out) {
  const int64_t v = int64_t(corners.size()) / 3, t = int64_t(triangles.size()) / 3, n = int64_t(triangle.size());
  expect(corners, "corners", {v, 3});
  expect(triangles, "triangles", {t, 3});
  expect(rest, "rest", {t, 3});
  expect(triangle, "triangle", {n});
  expect(out, "out", {n, 6});
  for (int64_t i = 0; i < 3 * t; ++i)
    if (uint64_t(triangles.data()[i]) >= uint64_t(v)) throw std::invalid_argument("a corner that is no vertex");
  for (int64_t i = 0; i < n; ++i)
    if (uint64_t(triangle.data()[i]) >= uint64_t(t)) throw std::invalid_argument("a triangle that is none");
  const nb::gil_scoped_release release;
  drape({corners.data(), triangles.data(), rest.data(), triangle.data(), t, n, float(most), nullptr, out.data()});
}

}  // namespace

void bind_stage(nb::module_& m) {
  nb::class_<Surroundings>(m, "Surroundings")
      .def("__init__",
           [](Surroundings* self, const In& means, const In& quats, const In& scales, const In& opacities) {
             const auto [splats, count] = arrays_of(means, quats, scales, opacities);
             new (self) Surroundings(splats.means, splats.quats, splats.scales, splats.opacities, count);
           })
      .def("contact", &contact_of);
  nb::class_<Occluder>(m, "Occluder").def(nb::init<>()).def("fill", &fill).def("shade", &shade_of);
  m.def("patches", &patches);
  m.def("keep", &keep);
  m.def("keep_patches", &keep_patches);
  m.def("light", &light_of);
  m.def("light_of_lamps", &light_of_lamps);
  m.def("paint", &paint_rows);
  m.def("bounds", &bounds);
  m.def("drape", &drape_of);
  m.def("shape", &shape_of);
  m.def("put_shapes", &put_shapes_into);
  bind_lamps(m);
  bind_sunlight(m);
}

}  // namespace splatfilm
