#include "sunlight.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "pool.h"

namespace splatfilm {
namespace {

constexpr int64_t kRun = 4096;      // splats that one task takes; results do not depend on it
constexpr int64_t kLanes = 16;
constexpr float kLifted = 0.003f;   // metres off the mesh that a splat looks from
constexpr float kClear = 0.006f;    // metres that something stands at least before what it keeps the sun off
constexpr float kSteepest = 0.15f;  // cosine: at a surface that the sun grazes more, heights are not followed farther
constexpr float kEdge = 0.03f;      // metres over which a window's edge lets more and more sun by
constexpr float kNothing = -std::numeric_limits<float>::infinity();

struct V {
  float x, y, z;
};
V of(const float* v) { return {v[0], v[1], v[2]}; }
V operator-(const V& a, const V& b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
V operator+(const V& a, const V& b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
V operator*(const V& a, float s) { return {a.x * s, a.y * s, a.z * s}; }
float dot(const V& a, const V& b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
V cross(const V& a, const V& b) { return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x}; }
V unit(const V& a) {
  const float long_ = std::sqrt(dot(a, a));
  return long_ > 1e-12f ? a * (1 / long_) : V{0, 0, 1};
}

// A vector in a splat's own axes, turned as the splat is.
V turned(const float* q, const V& v) {
  const V u{q[1], q[2], q[3]};
  const V t = cross(u, v) * 2.0f;
  return v + t * q[0] + cross(u, t);
}

// The share of four by four cells about a place that nothing stands in, weighed as a tent; `slope` is how the surface there
// rises to the right and up, metres a metre.
float open_at(const Heights& map, float u, float v, float height, const float (&slope)[2]) {
  if (!map.heights) return 1;
  const float x = (u - map.low[0]) / map.cell - 0.5f, y = (v - map.low[1]) / map.cell - 0.5f;
  if (!(x > -3 && y > -3 && x < float(map.width + 2) && y < float(map.height + 2))) return 1;
  const float fx = std::floor(x), fy = std::floor(y), px = x - fx, py = y - fy;
  const int i0 = int(fx) - 1, j0 = int(fy) - 1;
  const float across[4] = {1 - px, 1, 1, px}, along[4] = {1 - py, 1, 1, py};
  const float rise = slope[0] * map.cell, climb = slope[1] * map.cell;
  const float first = height + kClear - (1 + px) * rise - (1 + py) * climb;  // of the surface in the first cell
  const bool inside = i0 >= 0 && j0 >= 0 && i0 + 3 < map.width && j0 + 3 < map.height;
  float open = 0;
  for (int j = 0; j < 4; ++j) {
    float row[4];
    if (inside) {
      std::copy_n(map.heights + int64_t(j0 + j) * map.width + i0, 4, row);
    } else {
      for (int i = 0; i < 4; ++i) {
        const int cx = i0 + i, cy = j0 + j;
        const bool there = cx >= 0 && cy >= 0 && cx < map.width && cy < map.height;
        row[i] = there ? map.heights[int64_t(cy) * map.width + cx] : kNothing;
      }
    }
    float line = 0;
    for (int i = 0; i < 4; ++i) line += row[i] > first + float(i) * rise + float(j) * climb ? 0.0f : across[i];
    open += line * along[j];
  }
  return open * (1.0f / 9);
}

float clamped(float x) { return std::min(1.0f, std::max(0.0f, x)); }

// The share of a sun that comes to a place by its window.
float by_window(const Sun& sun, const V& at) {
  const V in = of(sun.facing), towards = of(sun.across.towards);
  if (dot(in, in) == 0) return 1;
  const float fall = -dot(towards, in);
  const V from = at - of(sun.at);
  const float past = dot(from, in);
  if (!(fall > 1e-6f) || !(past > 0)) return 0;
  const V there = from + towards * (past / fall);
  const float side = std::fabs(there.x * in.y - there.y * in.x);
  return clamped((sun.wide / 2 - side) / kEdge) * clamped((sun.high / 2 - std::fabs(there.z)) / kEdge);
}

float reaches(const Sun& sun, const V& at, const V& line) {
  const V right = of(sun.across.right), up = of(sun.across.up), towards = of(sun.across.towards);
  const float cosine = dot(line, towards);
  const float window = by_window(sun, at);
  if (!(window > 0)) return 0;
  const float steep = 1 / std::max(cosine, kSteepest);
  const float slope[2] = {-dot(line, right) * steep, -dot(line, up) * steep};
  const float u = dot(at, right), v = dot(at, up), height = dot(at, towards);
  const float own = open_at(sun.own, u, v, height, slope);
  return own > 0 ? window * own * open_at(sun.set, u, v, height, slope) : 0.0f;
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

void draw_heights(const float* placed, const int32_t* triangles, int64_t count, const Heights& where, float* heights) {
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
    const float twice = facing * per * per, even = 1 / twice;
    for (int y = y0; y <= y1; ++y)
      for (int x = x0; x <= x1; ++x) {
        const float px = float(x), py = float(y);
        const float wa = (b.x - px) * (c.y - py) - (b.y - py) * (c.x - px);
        const float wb = (c.x - px) * (a.y - py) - (c.y - py) * (a.x - px);
        const float wc = twice - wa - wb;
        if (wa < 0 || wb < 0 || wc < 0) continue;
        float& there = heights[int64_t(y) * where.width + x];
        there = std::max(there, (wa * a.z + wb * b.z + wc * c.z) * even);
      }
  }
}

void vertex_normals(const float* vertices, int64_t vertex_count, const int32_t* triangles, int64_t count, float* out) {
  std::fill(out, out + 3 * vertex_count, 0.0f);
  for (int64_t t = 0; t < count; ++t) {
    const int32_t* ids = triangles + 3 * t;
    const V a = of(vertices + 3 * int64_t(ids[0]));
    const V n = cross(of(vertices + 3 * int64_t(ids[1])) - a, of(vertices + 3 * int64_t(ids[2])) - a);
    for (int k = 0; k < 3; ++k) {
      float* there = out + 3 * int64_t(ids[k]);
      there[0] += n.x, there[1] += n.y, there[2] += n.z;
    }
  }
  for (int64_t i = 0; i < vertex_count; ++i) {
    const V n = unit(of(out + 3 * i));
    out[3 * i] = n.x, out[3 * i + 1] = n.y, out[3 * i + 2] = n.z;
  }
}

void sun_on(const Hanging& all, const float* vertices, const float* normals, const std::vector<Sun>& suns, float* facing,
            float* reach) {
  const int64_t blocks = (all.count + kLanes - 1) / kLanes;
  parallel((all.count + kRun - 1) / kRun, [&](int64_t run) {
    for (int64_t i = run * kRun; i < std::min(all.count, (run + 1) * kRun); ++i) {
      const int32_t* ids = all.corners + 3 * i;
      V at{0, 0, 0}, line{0, 0, 0};
      for (int k = 0; k < 3; ++k) {
        const float w = all.weights[3 * i + k];
        at = at + of(vertices + 3 * int64_t(ids[k])) * w, line = line + of(normals + 3 * int64_t(ids[k])) * w;
      }
      line = unit(line);
      const V n = unit(line * all.line[i] + turned(all.quats + 4 * i, of(all.axis + 3 * i)));
      const int64_t block = i / kLanes, lane = i % kLanes;
      float* out = facing + block * 3 * kLanes + lane;
      out[0] = n.x, out[kLanes] = n.y, out[2 * kLanes] = n.z;
      const V from = at + line * kLifted;
      for (size_t s = 0; s < suns.size(); ++s) {
        const bool faces = dot(n, of(suns[s].across.towards)) > 0;
        reach[(int64_t(s) * blocks + block) * kLanes + lane] = faces ? reaches(suns[s], from, line) : 0.0f;
      }
    }
  });
}

}  // namespace splatfilm
