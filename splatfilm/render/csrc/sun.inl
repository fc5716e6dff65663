// Which way sixteen splats face on a mesh, and the share of each sun that gets to them: see sunlight.h.

constexpr float kOff = 0.003f;       // metres off the mesh that a splat looks from
constexpr float kBefore = 0.006f;    // metres that something stands at least before what it keeps the sun off
constexpr float kSteepest = 0.15f;   // cosine: at a surface that the sun grazes more, heights are not followed farther

INLINE V3 unit(const V3& a) {
  const F one = splat(1.0f), scale = one / sqrt(max(plain_dot(a, a), splat(1e-20f)));
  return {a.x * scale, a.y * scale, a.z * scale};
}

INLINE V3 of_three(const float (&v)[3]) { return {splat(v[0]), splat(v[1]), splat(v[2])}; }

// The share of four by four cells about places that nothing stands in, weighed as a tent. `rise` and `climb` are how many
// metres the surface there gains a cell to the right and up.
INLINE F open_at(const Heights& map, M asked, F u, F v, F height, F rise, F climb) {
  const F one = splat(1.0f), per = splat(1 / map.cell);
  if (!map.heights || map.width < 4 || map.height < 4) return one;
  const F x = (u - splat(map.low[0])) * per - splat(1.5f), y = (v - splat(map.low[1])) * per - splat(1.5f);
  const M inside = asked & ge(x, splat(0.0f)) & ge(y, splat(0.0f)) & lt(x, splat(float(map.width - 3))) & lt(y, splat(float(map.height - 3)));
  if (!bits(inside)) return one;
  const F px = fraction(x), py = fraction(y), x0 = x - px, y0 = y - py;
  const F across[4] = {one - px, one, one, px}, along[4] = {one - py, one, one, py};
  const F units = splat(1 / kHeightUnit), right = rise * units, up = climb * units;
  const F first = (height + splat(kBefore)) * units - (one + px) * right - (one + py) * up;
  F closed = splat(0.0f);
  for (int j = 0; j < 4; ++j) {
    F line = splat(0.0f);
    const F start = first + splat(float(j)) * up, row = y0 + splat(float(j));
    UNROLL
    for (int i = 0; i < 4; ++i) {
      const F there = look_up(map.heights, inside, x0 + splat(float(i)), row, splat(0.0f), map.width, 0);
      line = line + zero_unless(gt(there, start + splat(float(i)) * right), across[i]);
    }
    closed = closed + line * along[j];
  }
  return select(inside, one - closed * splat(1.0f / 9), one);
}

// Of one sun, what gets to places on a mesh whose normals are `line`.
INLINE F reaches(const Sun& sun, M asked, const V3& at, const V3& line) {
  const F zero = splat(0.0f), window = by_window(sun.lamp, at);
  const M lit = asked & gt(window, zero);
  if (!bits(lit)) return zero;
  const V3 right = of_three(sun.across.right), up = of_three(sun.across.up), towards = of_three(sun.across.towards);
  const F steep = splat(1.0f) / max(plain_dot(line, towards), splat(kSteepest)), cell = splat(-1.0f) * steep;
  const F slope_right = plain_dot(line, right) * cell, slope_up = plain_dot(line, up) * cell;
  const F u = plain_dot(at, right), v = plain_dot(at, up), height = plain_dot(at, towards);
  const auto open = [&](const Heights& map) {
    const F wide = splat(map.cell);
    return open_at(map, lit, u, v, height, slope_right * wide, slope_up * wide);
  };
  return zero_unless(lit, window * open(sun.own) * open(sun.set));
}

static void sun_on(const SunTask& task, int64_t begin, int64_t end) {
  const int64_t blocks = (task.count + 15) / 16;
  for (int64_t block = begin; block < end; ++block) {
    const int64_t first = block * 16, count = task.count - first < 16 ? task.count - first : 16;
    V3 at{splat(0.0f), splat(0.0f), splat(0.0f)}, line = at;
    const float* rows[16];
    for (int corner = 0; corner < 3; ++corner) {
      for (int64_t i = 0; i < 16; ++i) rows[i] = task.vertices + 6 * int64_t(task.corners[3 * (first + (i < count ? i : 0)) + corner]);
      F near[4], far[4];  // a vertex and its normal, of which the two middle numbers are in both
      gather_fours(rows, near);
      UNROLL
      for (int i = 0; i < 16; ++i) rows[i] += 2;
      gather_fours(rows, far);
      const F w = load(task.weights + (block * 3 + corner) * 16);
      at = {fma(near[0], w, at.x), fma(near[1], w, at.y), fma(near[2], w, at.z)};
      line = {fma(far[1], w, line.x), fma(far[2], w, line.y), fma(far[3], w, line.z)};
    }
    for (int64_t i = 0; i < 16; ++i) rows[i] = task.quats + 4 * (first + (i < count ? i : 0));
    F turn[4];
    gather_fours(rows, turn);
    const float* axis = task.axis + block * 48;
    const V3 leaning = turned(turn, {load(axis), load(axis + 16), load(axis + 32)});
    line = unit(line);
    const F share = load(task.line + first);
    const V3 n = unit({fma(line.x, share, leaning.x), fma(line.y, share, leaning.y), fma(line.z, share, leaning.z)});
    float* out = task.facing + block * 48;
    store(out, n.x), store(out + 16, n.y), store(out + 32, n.z);
    const F off = splat(kOff);
    const V3 from{fma(line.x, off, at.x), fma(line.y, off, at.y), fma(line.z, off, at.z)};
    for (int64_t s = 0; s < task.sun_count; ++s) {
      const Sun& sun = task.suns[s];
      const M faces = gt(plain_dot(n, of_three(sun.across.towards)), splat(0.0f));
      store(task.reach + (s * blocks + block) * 16, bits(faces) ? reaches(sun, faces, from, line) : splat(0.0f));
    }
  }
}
