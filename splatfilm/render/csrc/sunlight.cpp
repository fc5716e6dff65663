#include "sunlight.h"

#include <algorithm>
#include <cmath>

#include "kernels.h"
#include "pool.h"

namespace splatfilm {
namespace {

constexpr int64_t kRun = 512;  // blocks that one task takes; results do not depend on it

struct V {
  float x, y, z;
};
V of(const float* v) { return {v[0], v[1], v[2]}; }
V operator-(const V& a, const V& b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
V operator*(const V& a, float s) { return {a.x * s, a.y * s, a.z * s}; }
float dot(const V& a, const V& b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
V cross(const V& a, const V& b) { return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x}; }
V unit(const V& a) {
  const float long_ = std::sqrt(dot(a, a));
  return long_ > 1e-12f ? a * (1 / long_) : V{0, 0, 1};
}

}  // namespace

std::vector<float> places_across(const float* vertices, int64_t count, const Across& across, float (&low)[2], float (&high)[2]) {
  const V right = of(across.right), up = of(across.up), towards = of(across.towards);
  std::vector<float> placed(size_t(count) * 3);
  for (int k = 0; k < 2; ++k) low[k] = 1e30f, high[k] = -1e30f;
  for (int64_t i = 0; i < count; ++i) {
    const V at = of(vertices + 3 * i);
    const float u = dot(at, right), v = dot(at, up);
    float* out = placed.data() + 3 * i;
    out[0] = u, out[1] = v, out[2] = dot(at, towards);
    low[0] = std::min(low[0], u), low[1] = std::min(low[1], v);
    high[0] = std::max(high[0], u), high[1] = std::max(high[1], v);
  }
  return placed;
}

void draw_heights(const float* placed, const int32_t* triangles, int64_t count, const Heights& where, int32_t* heights) {
  const float per = 1 / where.cell;
  for (int64_t t = 0; t < count; ++t) {
    const int32_t* ids = triangles + 3 * t;
    V a = of(placed + 3 * int64_t(ids[0])), b = of(placed + 3 * int64_t(ids[1])), c = of(placed + 3 * int64_t(ids[2]));
    const float facing = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
    if (!(facing > 0)) continue;
    for (V* p : {&a, &b, &c}) p->x = (p->x - where.low[0]) * per - 0.5f, p->y = (p->y - where.low[1]) * per - 0.5f;
    const float x_low = std::min(std::min(a.x, b.x), c.x), x_high = std::max(std::max(a.x, b.x), c.x);
    const float y_low = std::min(std::min(a.y, b.y), c.y), y_high = std::max(std::max(a.y, b.y), c.y);
    const int x0 = std::max(0, int(x_low + 0.99999f)), x1 = std::min(where.width - 1, int(x_high));
    const int y0 = std::max(0, int(y_low + 0.99999f)), y1 = std::min(where.height - 1, int(y_high));
    const float twice = facing * per * per, even = 1 / (twice * kHeightUnit);
    for (int y = y0; y <= y1; ++y)
      for (int x = x0; x <= x1; ++x) {
        const float px = float(x), py = float(y);
        const float wa = (b.x - px) * (c.y - py) - (b.y - py) * (c.x - px);
        const float wb = (c.x - px) * (a.y - py) - (c.y - py) * (a.x - px);
        const float wc = twice - wa - wb;
        if (wa < 0 || wb < 0 || wc < 0) continue;
        int32_t& there = heights[int64_t(y) * where.width + x];
        there = std::max(there, int32_t((wa * a.z + wb * b.z + wc * c.z) * even));
      }
  }
}

void with_normals(const float* vertices, int64_t vertex_count, const int32_t* triangles, int64_t count, float* out) {
  for (int64_t i = 0; i < vertex_count; ++i)
    for (int k = 0; k < 3; ++k) out[6 * i + k] = vertices[3 * i + k], out[6 * i + 3 + k] = 0;
  for (int64_t t = 0; t < count; ++t) {
    const int32_t* ids = triangles + 3 * t;
    const V a = of(vertices + 3 * int64_t(ids[0]));
    const V n = cross(of(vertices + 3 * int64_t(ids[1])) - a, of(vertices + 3 * int64_t(ids[2])) - a);
    for (int k = 0; k < 3; ++k) {
      float* there = out + 6 * int64_t(ids[k]) + 3;
      there[0] += n.x, there[1] += n.y, there[2] += n.z;
    }
  }
  for (int64_t i = 0; i < vertex_count; ++i) {
    const V n = unit(of(out + 6 * i + 3));
    out[6 * i + 3] = n.x, out[6 * i + 4] = n.y, out[6 * i + 5] = n.z;
  }
}

void sun_on_splats(const SunTask& task) {
  const Kernels& k = kernels();
  const int64_t blocks = (task.count + 15) / 16;
  parallel((blocks + kRun - 1) / kRun, [&](int64_t run) { k.sun_on(task, run * kRun, std::min(blocks, (run + 1) * kRun)); });
}

}  // namespace splatfilm
