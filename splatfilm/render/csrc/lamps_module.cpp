// The extension's class `Lamplight`: declared lamps, in the shadow of a set.
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <tuple>
#include <vector>

#include "lamps.h"
#include "stage_arrays.h"

namespace splatfilm {
namespace {

constexpr float kTo = 0.06f;  // metres off a surface that is asked what the set lets by

std::vector<Shining> shining_of(const InDouble& table) {
  const int64_t count = table.ndim() ? int64_t(table.shape(0)) : 0;
  expect(table, "lamps", {count, kShining});
  std::vector<Shining> lamps;
  for (int64_t i = 0; i < count; ++i) {
    const double* v = table.data() + i * (kShining);
    if (!(v[0] >= 0 && v[0] <= 2)) throw std::invalid_argument("a kind of lamp that is none");
    Shining one{};
    one.kind = LampKind(int(v[0])), one.lamp = int(v[1]), one.power = float(v[2]);
    float* parts[] = {one.at, one.travels, one.right, one.up, one.facing};
    for (int p = 0; p < 5; ++p)
      for (int k = 0; k < 3; ++k) parts[p][k] = float(v[3 + 3 * p + k]);
    one.across = float(v[18]), one.high = float(v[19]);
    lamps.push_back(one);
  }
  return lamps;
}

using Lattice = std::tuple<std::vector<int64_t>, std::vector<int>, double>;

// What a member's own depths were last filled with.
struct Filling {
  Lattice lattice;
  std::vector<const float*> parts;  // where their means were

  // Whether that was some parts of now, the first `there`. As long as those live, nothing else lies where they do: had
  // another thread filled it in between, it would show.
  bool is(const Lattice& now, const std::vector<Blocking>& all, int64_t there) const {
    if (lattice != now || int64_t(parts.size()) != there) return false;
    return std::equal(parts.begin(), parts.end(), all.begin(), [](const float* means, const Blocking& part) { return means == part.splats.means; });
  }
};

// Every lamp of a scene and its set, which stands still.
struct Lamplight {
  Openings openings;
  int whole;
  OwnDepths own;
  Filling filled;
  std::unique_ptr<std::mutex> busy = std::make_unique<std::mutex>();
};

using Part = std::tuple<In, In, In, In>;

std::vector<Blocking> parts_of(const std::vector<Part>& member) {
  std::vector<Blocking> parts;
  for (const auto& [means, quats, scales, opacities] : member) {
    const auto [splats, count] = arrays_of(means, quats, scales, opacities);
    parts.push_back({splats, count, nullptr, nullptr});
  }
  return parts;
}

// Where splats are whose rows are counted through all parts, and which way their normals face there: given in the scene, or
// in the splats' own axes.
void stand(const std::vector<Blocking>& parts, const int64_t* rows, const float* normals, bool given, int64_t count, float* at,
           float* facing) {
  for (int64_t i = 0; i < count; ++i) {
    int64_t row = rows[i];
    size_t part = 0;
    while (part < parts.size() && row >= parts[part].count) row -= parts[part++].count;
    if (row < 0 || part == parts.size()) throw std::invalid_argument("a place that is no splat's");
    const SplatArrays& splats = parts[part].splats;
    float turn[3][3];
    turn_of(splats.quats + 4 * row, turn);
    const float* n = normals + 3 * i;
    for (int k = 0; k < 3; ++k) {
      at[3 * i + k] = splats.means[3 * row + k];
      facing[3 * i + k] = given ? n[k] : turn[k][0] * n[0] + turn[k][1] * n[1] + turn[k][2] * n[2];
    }
  }
}

// The patches' light: [P] the open share of light from all around, [P, lamps, 3] vectors over pi; each blended with those
// of the `beside` it: rows of [P + 1] `starts`. `places` are rows of splats, and their normals; in the scene if that is
// true, in the splats' own axes if not. So many parts are `there` already: all those of the call before, unmoved.
auto falls(Lamplight& self, const std::vector<Part>& member, const Lattice& lattice, const std::tuple<InLong, In, bool>& places, const std::tuple<InLong, InInt>& beside, int64_t there) {
  const auto& [low, size, cell] = lattice;
  const auto& [rows, facing, in_scene] = places;
  const auto& [starts, others] = beside;
  const std::vector<Blocking> parts = parts_of(member);
  if (there < 0 || there > int64_t(parts.size())) throw std::invalid_argument("more parts are there than there are");
  const Box box = box_of(low, size, cell);
  const int64_t n = rows.ndim() ? int64_t(rows.shape(0)) : 0, links = int64_t(others.size());
  expect(rows, "places", {n});
  expect(facing, "normals", {n, 3});
  expect(starts, "starts", {n + 1});
  for (int64_t i = 0; i < n; ++i)
    if (starts.data()[i] < 0 || starts.data()[i + 1] < starts.data()[i] || starts.data()[i + 1] > links)
      throw std::invalid_argument("neighbours' rows do not ascend");
  for (int64_t i = 0; i < links; ++i)
    if (uint64_t(others.data()[i]) >= uint64_t(n)) throw std::invalid_argument("a neighbour that is none");
  std::vector<float> at(size_t(n) * 3), normals(size_t(n) * 3);
  stand(parts, rows.data(), facing.data(), in_scene, n, at.data(), normals.data());
  std::vector<float> open(static_cast<size_t>(n)), vectors(size_t(n) * size_t(self.whole) * 3);
  {
    const nb::gil_scoped_release release;
    const std::lock_guard<std::mutex> alone(*self.busy);
    std::vector<float> outside(size_t(n) * 3);
    for (int64_t i = 0; i < 3 * n; ++i) outside[size_t(i)] = at[size_t(i)] + kTo * normals[size_t(i)];
    const std::vector<float> lets_by = self.openings.at(outside.data(), n);
    if (there && self.filled.is(lattice, parts, there))
      self.own.fill_more({parts.begin() + there, parts.end()}, box, cell);
    else
      self.own.fill(parts, box, cell);
    self.filled = {lattice, {}};
    for (const Blocking& part : parts) self.filled.parts.push_back(part.splats.means);
    const Fallen found = falls_on({at.data(), normals.data(), n}, self.own, self.openings.lamps(), self.whole, lets_by.data());
    const size_t width = size_t(self.whole) * 3;
    std::vector<size_t> given;  // what any place gets anything of
    for (size_t k = 0; k < width; ++k) {
      bool any = false;
      for (int64_t i = 0; i < n && !any; ++i) any = found.vectors[size_t(i) * width + k] != 0;
      if (any) given.push_back(k);
    }
    for (int64_t i = 0; i < n; ++i) {
      const int64_t first = starts.data()[i], last = starts.data()[i + 1];
      const float share = 1 / float(1 + last - first);
      float sum = found.open[size_t(i)];
      float* out = vectors.data() + size_t(i) * width;
      for (size_t k = 0; k < width; ++k) out[k] = 0;
      for (size_t k : given) out[k] = found.vectors[size_t(i) * width + k];
      for (int64_t j = first; j < last; ++j) {
        const size_t other = size_t(others.data()[j]);
        sum += found.open[other];
        for (size_t k : given) out[k] += found.vectors[other * width + k];
      }
      open[size_t(i)] = sum * share;
      for (size_t k : given) out[k] *= share;
    }
  }
  return std::make_tuple(handed_over(std::move(open)), handed_over(std::move(vectors)));
}

}  // namespace

void bind_lamps(nb::module_& m) {
  nb::class_<Lamplight>(m, "Lamplight")
      .def("__init__",
           [](Lamplight* self, const std::tuple<In, In, In, In>& set, const Lattice& lattice,
              const InDouble& lamps, int whole) {
             const auto& [means, quats, scales, opacities] = set;
             const auto& [low, size, cell] = lattice;
             const auto [splats, count] = arrays_of(means, quats, scales, opacities);
             std::vector<Shining> shining = shining_of(lamps);
             for (const Shining& one : shining)
               if (uint64_t(one.lamp) >= uint64_t(whole)) throw std::invalid_argument("a part of a lamp that is none");
             new (self) Lamplight{Openings(splats, count, box_of(low, size, cell), cell, std::move(shining)), whole, {}, {}};
           })
      .def("falls", &falls)
      .def_prop_ro("known", [](const Lamplight& self) { return self.openings.known(); });
}

}  // namespace splatfilm
