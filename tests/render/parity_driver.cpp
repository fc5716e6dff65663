// Renders a scene of its own making, forwards and backwards, and prints a hash of every number: the same on every
// processor and with every compiler. Usage: parity_driver INSTRUCTION_SET.
#include <cstdio>
#include <cstring>
#include <vector>

#include "rasteriser.h"

using namespace splatfilm;

namespace {

uint64_t state = 1;

// In [0, 1), exactly the same everywhere: 24 bits of a multiplicative generator.
float next() {
  state = state * 6364136223846793005ull + 1442695040888963407ull;
  return float(state >> 40) * (1.0f / 16777216.0f);
}

std::vector<float> numbers(int64_t count, float low, float high) {
  std::vector<float> result;
  for (int64_t i = 0; i < count; ++i) result.push_back(low + (high - low) * next());
  return result;
}

uint64_t hash = 14695981039346656037ull;

void add(const std::vector<float>& values) {
  for (const float value : values) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    for (int byte = 0; byte < 4; ++byte) hash = (hash ^ (bits >> 8 * byte & 255)) * 1099511628211ull;
  }
}

// Whether the picture has the same bits when blocks of the splats are held against its edges.
bool same_in_blocks(const Scene& scene, const View& view) {
  if (view.distortion) return true;
  Blocks blocks;
  make_blocks(scene, blocks);
  const double fx = view.fx, fy = view.fy;
  const Culling culling = {&blocks,
                           {(view.left - view.cx) / fx, (view.left + view.width - view.cx) / fx, (view.top - view.cy) / fy,
                            (view.top + view.height - view.cy) / fy, 1.5, 1.5, 1 / fx, 1 / fy, 0.0, 1e30}};
  View shallow = view;  // so that some blocks are out of view
  shallow.far_z = 2.0f;
  const int64_t pixels = int64_t(view.width) * view.height;
  for (const View& seen : {view, shallow}) {
    std::vector<float> found[2][3];
    for (int in_blocks : {0, 1}) {
      for (int k : {0, 1, 2}) found[in_blocks][k].resize(size_t(k ? pixels : 3 * pixels));
      Workspace workspace;
      const Picture out = {found[in_blocks][0].data(), found[in_blocks][1].data(), found[in_blocks][2].data()};
      rasterise(scene, seen, out, {}, false, workspace, in_blocks ? &culling : nullptr);
      if (in_blocks && seen.far_z == shallow.far_z && !workspace.counters.hidden) return false;
    }
    for (int k : {0, 1, 2})
      if (std::memcmp(found[0][k].data(), found[1][k].data(), found[0][k].size() * sizeof(float))) return false;
  }
  return true;
}

void render(int distortion, bool mixed) {
  const int64_t n = 3000, pixels = 150 * 100;
  const std::vector<float> means = numbers(3 * n, -1.5f, 1.5f), quats = numbers(4 * n, -1.0f, 1.0f),
                           scales = numbers(3 * n, 0.005f, 0.12f), opacities = numbers(n, 0.0f, 1.0f),
                           sh = numbers(48 * n, -0.4f, 0.4f), d_beauty = numbers(3 * pixels, -1.0f, 1.0f);
  std::vector<uint8_t> modes;
  for (int64_t i = 0; i < n; ++i) modes.push_back(uint8_t(i & 1));
  Scene scene = {means.data(), quats.data(), scales.data(), opacities.data(), sh.data(), n, 16};
  if (mixed) scene.antialiased = modes.data();
  View view = {};
  for (int i = 0; i < 3; ++i) view.rotation[4 * i] = 1.0f;
  view.position[2] = -3.0f;
  view.fx = 120.0f, view.fy = 110.0f, view.cx = 59.0f, view.cy = 35.0f;
  view.near_z = 0.01f, view.far_z = 1e10f;
  view.limit_left = view.limit_top = -1.0f, view.limit_right = view.limit_bottom = 1.0f;
  view.distortion = distortion;
  const float bend[8] = {-0.1f, 0.02f, 0.001f, -0.002f};
  std::memcpy(view.bend, bend, sizeof bend);
  view.farthest = 4.0f, view.shift_x = 0.01f;
  view.width = 150, view.height = 100, view.left = -32, view.top = -16, view.degree = 3;

  std::vector<float> beauty(3 * pixels), alpha(pixels), depth(pixels);
  std::vector<float> d_means(3 * n), d_quats(4 * n), d_scales(3 * n), d_opacities(n), d_sh(48 * n);
  const Picture picture = {beauty.data(), alpha.data(), depth.data()};
  Workspace workspace;
  rasterise(scene, view, picture, {}, true, workspace);
  rasterise_backward(scene, picture, {d_beauty.data(), nullptr, nullptr},
                     {d_means.data(), d_quats.data(), d_scales.data(), d_opacities.data(), d_sh.data(), nullptr, nullptr}, workspace);
  if (!same_in_blocks(scene, view)) std::printf("other bits in blocks ");
  for (const auto* values : {&beauty, &alpha, &depth, &d_means, &d_quats, &d_scales, &d_opacities, &d_sh}) add(*values);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2 || !choose_kernels(arguments[1])) return 2;
  for (int distortion : {kPinhole, kBrownConrady, kKannalaBrandt})
    for (bool mixed : {false, true}) render(distortion, mixed);
  std::printf("%s %016llx\n", kernels().name, static_cast<unsigned long long>(hash));
}
