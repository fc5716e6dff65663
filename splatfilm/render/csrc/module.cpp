// The Python extension `splatfilm.render._kernels`: numpy arrays in, numpy arrays out, nothing copied. It knows nothing of
// torch; `splatfilm/render/kernels.py` gives these functions their Python types.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "bindings.h"
#include "nearest.h"
#include "noise.h"
#include "pool.h"
#include "rasteriser.h"

using namespace nanobind::literals;
using namespace splatfilm;

namespace {

Scene scene_of(const In& means, const In& quats, const In& scales, const In& opacities, const In& sh) {
  if (means.ndim() != 2 || sh.ndim() != 3) throw std::invalid_argument("means must be [N, 3] and sh [N, K, 3]");
  const int64_t n = int64_t(means.shape(0)), basis = int64_t(sh.shape(1));
  if (n > INT32_MAX / 2) throw std::invalid_argument("more than 2^30 splats");
  if (basis != 1 && basis != 4 && basis != 9 && basis != 16) throw std::invalid_argument("sh must hold 1, 4, 9 or 16 coefficients");
  expect(means, "means", {n, 3});
  expect(quats, "quats", {n, 4});
  expect(scales, "scales", {n, 3});
  expect(opacities, "opacities", {n});
  expect(sh, "sh", {n, basis, 3});
  return {means.data(), quats.data(), scales.data(), opacities.data(), sh.data(), n, int(basis)};
}

// What a driver has done to the splats; empty arrays where there is none.
void moved(Scene& scene, const In& stretches, const In& turns) {
  if (stretches.size()) {
    expect(stretches, "stretches", {scene.count, 6});
    scene.stretches = stretches.data();
  }
  if (turns.size()) {
    expect(turns, "turns", {scene.count, 4});
    scene.turns = turns.data();
  }
}

// Which splats are antialiased, where they differ; an empty array where they do not.
void mixed(Scene& scene, const InBytes& antialiased) {
  if (!antialiased.size()) return;
  expect(antialiased, "antialiased", {scene.count});
  scene.antialiased = antialiased.data();
}

// `numbers`: rotation 9, position 3, fx fy cx cy, near far, left right top bottom, background 3, first column and row of
// the window; then nothing, or the model of distortion, its coefficients 8, how far it reaches, and the pupil's shift 2.
View view_of(const std::vector<double>& numbers, int width, int height, int degree, bool antialiased, bool by_distance,
             int basis) {
  if (numbers.size() != 27 && numbers.size() != 39) throw std::invalid_argument("a view has 27 or 39 numbers");
  if (width < 1 || height < 1 || int64_t(width) * height > INT32_MAX) throw std::invalid_argument("picture size out of range");
  if (degree < 0 || (degree + 1) * (degree + 1) > basis) throw std::invalid_argument("more degrees than sh holds");
  View v;
  const double* n = numbers.data();
  for (float& x : v.rotation) x = float(*n++);
  for (float& x : v.position) x = float(*n++);
  for (float* x : {&v.fx, &v.fy, &v.cx, &v.cy, &v.near_z, &v.far_z, &v.limit_left, &v.limit_right, &v.limit_top, &v.limit_bottom})
    *x = float(*n++);
  for (float& x : v.background) x = float(*n++);
  v.left = int(*n++);
  v.top = int(*n++);
  if (v.left % kTile || v.top % kTile) throw std::invalid_argument("a window begins at an edge of tiles");
  v.distortion = kPinhole;
  v.shift_x = v.shift_y = 0.0f;
  if (numbers.size() == 39) {
    v.distortion = int(*n++);
    if (v.distortion != kBrownConrady && v.distortion != kKannalaBrandt) throw std::invalid_argument("unknown distortion");
    for (float& x : v.bend) x = float(*n++);
    v.farthest = float(*n++);
    v.shift_x = float(*n++);
    v.shift_y = float(*n++);
  }
  // Keys are the bits of z, which order only positive numbers.
  v.near_z = std::max(v.near_z, 1e-30f);
  v.width = width;
  v.height = height;
  v.degree = degree;
  v.antialiased = antialiased;
  v.by_distance = by_distance;
  return v;
}

Picture picture_of(const Out& beauty, const Out& alpha, const Out& depth, int64_t width, int64_t height) {
  expect(beauty, "beauty", {height, width, 3});
  expect(alpha, "alpha", {height, width});
  expect(depth, "depth", {height, width});
  return {beauty.data(), alpha.data(), depth.data()};
}

// Arrays of size 0 stand for what is not asked for.
Extras extras_of(const In& features, const Out& blended, int64_t count, int64_t width, int64_t height) {
  Extras extras;
  if (features.size() == 0 && blended.size() == 0) return extras;
  if (features.ndim() != 2 || features.shape(1) > 65536) throw std::invalid_argument("features must be [N, C], C at most 65536");
  const int64_t channels = int64_t(features.shape(1));
  expect(features, "features", {count, channels});
  expect(blended, "blended features", {height, width, channels});
  extras.features = features.data();
  extras.channels = int(channels);
  extras.picture = blended.data();
  return extras;
}

Blocks* blocks_of(const In& means, const In& quats, const In& scales, const In& opacities, const In& stretches) {
  const int64_t n = int64_t(means.shape(0));
  expect(means, "means", {n, 3});
  expect(quats, "quats", {n, 4});
  expect(scales, "scales", {n, 3});
  expect(opacities, "opacities", {n});
  if (n > INT32_MAX / 2) throw std::invalid_argument("more than 2^30 splats");
  Scene scene = {means.data(), quats.data(), scales.data(), opacities.data(), nullptr, n, 0};
  moved(scene, stretches, In());
  const nb::gil_scoped_release release;
  auto blocks = std::make_unique<Blocks>();
  make_blocks(scene, *blocks);
  return blocks.release();
}

// `sight`: the numbers of `Sight` in their order.
Culling culling_of(const Blocks& blocks, const std::vector<double>& sight, int64_t count, bool for_backward) {
  if (for_backward) throw std::invalid_argument("there is no backward pass in blocks");
  if (blocks.count > count) throw std::invalid_argument("blocks of more splats than the scene has");
  if (sight.size() != 10) throw std::invalid_argument("a sight has 10 numbers");
  const double* n = sight.data();
  return {&blocks, {n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9]}};
}

// A forward pass that can be taken back.
class Pass {
 public:
  Pass() : workspace_(borrow_workspace()) {}
  ~Pass() { return_workspace(std::move(workspace_)); }
  Pass(const Pass&) = delete;
  Workspace& workspace() { return *workspace_; }

 private:
  std::unique_ptr<Workspace> workspace_;
};

Pass* forward(const In& means, const In& quats, const In& scales, const In& opacities, const In& sh,
                              const std::vector<double>& numbers, int width, int height, int degree, bool antialiased,
                              bool by_distance,
                              const Out& beauty, const Out& alpha, const Out& depth, const In& features,
                              const Out& blended, const Out& median, const Out& front, bool for_backward,
                              const In& stretches, const In& turns, const InBytes& antialiased_of,
                              const std::optional<std::pair<const Blocks*, std::vector<double>>>& culled) {
  Scene scene = scene_of(means, quats, scales, opacities, sh);
  moved(scene, stretches, turns);
  mixed(scene, antialiased_of);
  if (for_backward && (scene.stretches || scene.turns)) throw std::invalid_argument("moved splats have no backward pass");
  const View view = view_of(numbers, width, height, degree, antialiased, by_distance, scene.basis);
  const Picture picture = picture_of(beauty, alpha, depth, width, height);
  Extras extras = extras_of(features, blended, scene.count, width, height);
  if (median.size() != 0) {
    expect(median, "median depth", {height, width});
    expect(front, "front depth", {height, width});
    extras.depths = {median.data(), front.data()};
  }
  Culling culling;
  if (culled) culling = culling_of(*culled->first, culled->second, scene.count, for_backward);
  const nb::gil_scoped_release release;
  auto pass = std::make_unique<Pass>();
  rasterise(scene, view, picture, extras, for_backward, pass->workspace(), culled ? &culling : nullptr);
  return pass.release();
}

// Null for an array of size 0, which stands for zeros.
const float* gradient_of(const In& array, const char* name, std::initializer_list<int64_t> shape) {
  if (array.size() == 0) return nullptr;
  expect(array, name, shape);
  return array.data();
}

void backward(Pass& pass, const In& means, const In& quats, const In& scales, const In& opacities, const In& sh,
              const Out& beauty, const Out& alpha, const Out& depth, const In& d_beauty, const In& d_alpha,
              const In& d_depth, const Out& d_means, const Out& d_quats, const Out& d_scales, const Out& d_opacities,
              const Out& d_sh, const Out& absolute, const In& features, const Out& blended, const In& d_blended,
              const Out& d_features, const OutDouble& d_pose, const InBytes& antialiased_of) {
  Scene scene = scene_of(means, quats, scales, opacities, sh);
  mixed(scene, antialiased_of);
  const int64_t n = scene.count, width = pass.workspace().view.width, height = pass.workspace().view.height;
  const Picture picture = picture_of(beauty, alpha, depth, width, height);
  const PictureGradients d = {gradient_of(d_beauty, "d_beauty", {height, width, 3}),
                              gradient_of(d_alpha, "d_alpha", {height, width}),
                              gradient_of(d_depth, "d_depth", {height, width})};
  expect(d_means, "d_means", {n, 3});
  expect(d_quats, "d_quats", {n, 4});
  expect(d_scales, "d_scales", {n, 3});
  expect(d_opacities, "d_opacities", {n});
  expect(d_sh, "d_sh", {n, scene.basis, 3});
  const bool wants_pose = d_pose.size() != 0;
  if (wants_pose) expect(d_pose, "d_pose", {6});
  const Extras extras = extras_of(features, blended, n, width, height);
  const float* d_channels = nullptr;
  if (extras.channels) {
    d_channels = gradient_of(d_blended, "d_features", {height, width, extras.channels});
    expect(d_features, "d_features", {n, extras.channels});
  }
  const bool wants_absolute = absolute.size() != 0;
  if (wants_absolute) expect(absolute, "absolute", {n, 2});
  const nb::gil_scoped_release release;
  rasterise_backward(scene, picture, d,
                     {d_means.data(), d_quats.data(), d_scales.data(), d_opacities.data(), d_sh.data(),
                      wants_absolute ? absolute.data() : nullptr, wants_pose ? d_pose.data() : nullptr},
                     pass.workspace(), extras, {d_channels, d_features.data()});
}

void skin_splats(const In& means, const In& quats, const InInt& joints, const In& weights, const In& bones,
                 const Out& out_means, const Out& out_quats, const Out& turns) {
  const int64_t n = int64_t(means.shape(0));
  expect(means, "means", {n, 3});
  const bool points = quats.ndim() == 1 && quats.size() == 0;
  if (!points) expect(quats, "quats", {n, 4});
  expect(joints, "joints", {n, 4});
  expect(weights, "weights", {n, 4});
  const int64_t count = bones.ndim() ? int64_t(bones.shape(0)) : 0;
  expect(bones, "bones", {count, 8});
  expect(out_means, "out_means", {n, 3});
  if (!points) {
    expect(out_quats, "out_quats", {n, 4});
    expect(turns, "turns", {n, 4});
  }
  for (int64_t i = 0; i < 4 * n; ++i)
    if (uint32_t(joints.data()[i]) >= uint64_t(count)) throw std::invalid_argument("a joint that is no bone");
  const nb::gil_scoped_release release;
  skin({means.data(), points ? nullptr : quats.data(), joints.data(), weights.data(), bones.data(), n, out_means.data(),
        points ? nullptr : out_quats.data(), points ? nullptr : turns.data()});
}

std::tuple<double, double, double> loss(const In& image, const In& target, const In& weight, double lambda,
                                        const Out& gradient) {
  if (image.ndim() != 3) throw std::invalid_argument("image must be [H, W, 3]");
  const int64_t height = int64_t(image.shape(0)), width = int64_t(image.shape(1));
  if (height < 1 || width < 1 || height * width > INT32_MAX) throw std::invalid_argument("picture size out of range");
  expect(image, "image", {height, width, 3});
  expect(target, "target", {height, width, 3});
  expect(gradient, "gradient", {height, width, 3});
  if (weight.size() != 0) expect(weight, "weight", {height, width});
  const nb::gil_scoped_release release;
  const LossValues v = l1_ssim(image.data(), target.data(), weight.size() ? weight.data() : nullptr, int(height),
                               int(width), lambda, gradient.data());
  return {v.loss, v.l1, v.ssim};
}

// `numbers`: voxels to a footprint, the table's 1, rotation 9, offset 3.
void noise(const In& places, const In& footprints, const InLong& seeds, const InInt& table,
           const std::vector<double>& numbers, int sub, int cell, const Out& out) {
  if (places.ndim() != 3 || out.ndim() != 3) throw std::invalid_argument("places must be [H, W, 3] and out [rows, columns, C]");
  const int64_t height = int64_t(places.shape(0)), width = int64_t(places.shape(1)), channels = int64_t(out.shape(2));
  if (sub < 1 || cell < 1 || sub > 16 || cell > 64 || (sub > 1 && cell > 1)) throw std::invalid_argument("sub or cell out of range");
  if (height < 1 || width < 1 || (height + cell) * width * sub * sub > INT32_MAX) throw std::invalid_argument("picture size out of range");
  if (channels < 1 || channels > 1024) throw std::invalid_argument("1 to 1024 channels");
  expect(places, "places", {height, width, 3});
  expect(footprints, "footprints", {height, width});
  expect(seeds, "seeds", {height, width});
  expect(table, "table", {65536});
  expect(out, "out", {(height + cell - 1) / cell, (width + cell - 1) / cell, channels});
  if (numbers.size() != 14) throw std::invalid_argument("noise takes 14 numbers");
  NoiseTask task{places.data(), footprints.data(), seeds.data(), int(width), int(height), sub, cell, numbers[0], {}, {},
                 table.data(), numbers[1], int(channels), out.data()};
  std::copy(numbers.begin() + 2, numbers.begin() + 11, task.rotation);
  std::copy(numbers.begin() + 11, numbers.end(), task.offset);
  const nb::gil_scoped_release release;
  anchored_noise(task);
}

void nearest_of(const InDouble& points, const InDouble& corners, const OutInt& triangle, const OutDouble& barycentric,
                const OutDouble& distance) {
  const int64_t n = int64_t(points.shape(0)), triangles = int64_t(corners.shape(0));
  expect(points, "points", {n, 3});
  expect(corners, "corners", {triangles, 3, 3});
  expect(triangle, "triangle", {n});
  expect(barycentric, "barycentric", {n, 3});
  expect(distance, "distance", {n});
  if (triangles < 1 || triangles > INT32_MAX / 2) throw std::invalid_argument("a mesh has 1 to 2^30 triangles");
  const nb::gil_scoped_release release;
  nearest({points.data(), corners.data(), n, triangles, triangle.data(), barycentric.data(), distance.data()});
}

constexpr int64_t kLightRun = 1 << 15;  // values that one task converts

void add_light(const In& display, const Out& light) {
  if (display.size() != light.size()) throw std::invalid_argument("display and light must be of one size");
  const nb::gil_scoped_release release;
  const int64_t count = int64_t(light.size());
  parallel((count + kLightRun - 1) / kLightRun, [&](int64_t run) {
    const int64_t begin = run * kLightRun;
    kernels().add_light(display.data() + begin, light.data() + begin, std::min(kLightRun, count - begin));
  });
}

void to_display(const Out& light, double scale) {
  const nb::gil_scoped_release release;
  const int64_t count = int64_t(light.size());
  parallel((count + kLightRun - 1) / kLightRun, [&](int64_t run) {
    const int64_t begin = run * kLightRun;
    kernels().to_display(light.data() + begin, float(scale), std::min(kLightRun, count - begin));
  });
}

}  // namespace

NB_MODULE(_kernels, m) {
  // A frame that is still alive when Python ends is no leak.
  nb::set_leak_warnings(false);
  nb::class_<Pass>(m, "Pass")
      .def_prop_ro("hidden", [](Pass& p) { return p.workspace().counters.hidden; })
      .def_prop_ro("visible", [](Pass& p) { return p.workspace().counters.visible; })
      .def_prop_ro("pairs", [](Pass& p) { return p.workspace().counters.pairs; })
      .def_prop_ro("evaluations", [](Pass& p) { return p.workspace().counters.evaluations; })
      .def_prop_ro("seconds",
                   [](Pass& p) {
                     const double* s = p.workspace().counters.seconds;
                     return std::vector<double>(s, s + 6);
                   })
      .def_prop_ro("bands", [](Pass& p) { return p.workspace().bands.size(); })
      .def_prop_ro("bytes", [](Pass& p) { return p.workspace().bytes(); })
      .def("footprints", [](Pass& p, const Out& radii) {
        Scene scene{};
        scene.count = int64_t(radii.shape(0));
        footprints(scene, p.workspace(), radii.data());
      })
      .def("backward", &backward);
  nb::class_<Blocks>(m, "Blocks");
  m.def("blocks", &blocks_of, nb::rv_policy::take_ownership);
  m.def("forward", &forward, nb::rv_policy::take_ownership);
  m.def("skin", &skin_splats);
  bind_stage(m);
  m.def("nearest", &nearest_of);
  m.def("l1_ssim", &loss);
  m.def("anchored_noise", &noise);
  m.def("set_most_pairs", &set_most_pairs);
  m.def("add_light", &add_light);
  m.def("to_display", &to_display);
  m.def("set_threads", &set_threads);
  m.def("threads", &threads);
  m.def("instruction_set", [] { return std::string(kernels().name); });
  m.def("choose_instruction_set", [](const std::string& name) { return choose_kernels(name.c_str()); });
  m.def("instruction_sets", [] {
    std::vector<std::string> names;
    for (const char* name : {"avx512", "avx2", "neon", "portable"})
      if (kernels_available(name)) names.emplace_back(name);
    return names;
  });
  m.def("ceiling", [](int64_t rounds) {
    float sink[16];
    const nb::gil_scoped_release release;
    return kernels().ceiling(rounds, sink);
  });
}
