// Light of lamps and from all around on sixteen places of a member, through its own depths: see falling.h.

constexpr float kEdge = 0.03f;      // metres over which a window's edge lets more and more sun by
constexpr float kNearest = 0.05f;   // metres from a lamp: nearer it gets no brighter
constexpr float kDim = 0.012f;      // light over pi that is not worth looking for what keeps it off
constexpr float kStart = 3.0f;      // cells towards a lamp: what is nearer is the surface itself
constexpr float kNear = 5.0f;       // to which they are small ones
constexpr float kFirstFar = 2.75f;  // large cells, in the middle of the first that is past the small ones
constexpr float kBehind = -0.4f;    // cosine: a lamp farther below a surface gives it nothing, however large it is
constexpr float kAround = 0.1f;     // cosine of the ways that light from all around is looked for

// Cells along a way, how many each step stands for, and the copy that is wide enough there.
struct Sample {
  float at, length;
  int width;
};
constexpr Sample kSamples[] = {{1.0f, 1.0f, 0}, {2.0f, 1.2f, 0},  {3.4f, 1.6f, 1},  {5.2f, 2.2f, 1},
                             {7.8f, 3.0f, 2}, {11.5f, 4.4f, 2}, {17.0f, 6.4f, 3}, {25.0f, 9.0f, 3}};

INLINE V3 load_three(const float (&rows)[3][16]) { return {load(rows[0]), load(rows[1]), load(rows[2])}; }
INLINE V3 along(const V3& from, const V3& way, F t) { return {from.x + way.x * t, from.y + way.y * t, from.z + way.z * t}; }
INLINE F plain_dot(const V3& a, const V3& b) { return a.x * b.x + a.y * b.y + a.z * b.z; }

// The optical depth in the cells of places, of light that crosses them.
INLINE F depth_in(const int32_t* depths, const int (&size)[3], const V3& at) {
  const F zero = splat(0.0f);
  const M inside = lt(at.x, splat(float(size[0]))) & ge(at.x, zero) & lt(at.y, splat(float(size[1]))) & ge(at.y, zero) &
                   lt(at.z, splat(float(size[2]))) & ge(at.z, zero);
  if (!bits(inside)) return zero;
  return look_up(depths, inside, whole_of(at.x), whole_of(at.y), whole_of(at.z), size[0], size[0] * size[1]) * splat(kUnit);
}

// What gets by an optical depth: haze stops nothing, and what is more than half opaque nearly all.
INLINE F let_by(F depth) {
  const F one = splat(1.0f), left = one / (one + depth * (one + splat(0.5f) * depth));
  return min(one, max(splat(0.0f), (left - splat(0.25f)) * splat(2.0f)));
}

// How far along a way the lattice goes on, in cells.
INLINE F end_along(F from, F way, int size, F end) {
  const F small = splat(1e-6f), none = splat(1.0f);
  const M up = gt(way, small), down = lt(way, splat(-1e-6f));
  end = select(up, min(end, (splat(float(size)) - from) / select(up, way, none)), end);
  return select(down, min(end, (splat(0.0f) - from) / select(down, way, none)), end);
}

// The share that gets from places out of the member: what is near in small cells, the rest in large ones.
INLINE F out_of_member(const FallTask& task, const V3& way, M asked) {
  const V3 near = load_three(task.near), far = load_three(task.far);
  const F opaque = splat(kOpaque);
  F depth = splat(0.0f), end = splat(1e6f);
  for (float t = kStart; t < kNear; t += 1) depth = depth + depth_in(task.fine, task.fine_size, along(near, way, splat(t)));
  end = end_along(far.x, way.x, task.coarse_size[0], end);
  end = end_along(far.y, way.y, task.coarse_size[1], end);
  end = end_along(far.z, way.z, task.coarse_size[2], end);
  for (float t = kFirstFar;; t += 1) {
    const M on = asked & lt(splat(t), end) & lt(depth, opaque);
    if (!bits(on)) break;
    depth = depth + zero_unless(on, depth_in(task.coarse[0], task.coarse_size, along(far, way, splat(t))));
  }
  return let_by(depth);
}

// The share of a sun that gets to places by its window's opening, 1 out of doors.
INLINE F by_window(const Shining& one, const V3& at) {
  const float* f = one.facing;
  const float fall = one.travels[0] * f[0] + one.travels[1] * f[1] + one.travels[2] * f[2];
  const F zero = splat(0.0f), whole = splat(1.0f);
  if (f[0] * f[0] + f[1] * f[1] + f[2] * f[2] == 0) return whole;
  if (!(fall > 1e-6f)) return zero;
  const V3 from{at.x - splat(one.at[0]), at.y - splat(one.at[1]), at.z - splat(one.at[2])};
  const F past = from.x * splat(f[0]) + from.y * splat(f[1]) + from.z * splat(f[2]), back = past / splat(fall);
  const F x = from.x - splat(one.travels[0]) * back, y = from.y - splat(one.travels[1]) * back;
  const F z = from.z - splat(one.travels[2]) * back;
  const F side = abs(x * splat(f[1]) - y * splat(f[0])), edge = splat(kEdge);
  const F within = min(whole, max(zero, (splat(one.across / 2) - side) / edge));
  return zero_unless(gt(past, zero), within * min(whole, max(zero, (splat(one.high / 2) - abs(z)) / edge)));
}

// What falls there of one, with nothing in between, as a vector; and the way to it.
INLINE V3 sent(const Shining& one, const V3& at, V3& way) {
  if (one.kind == LampKind::kSun) {
    way = {splat(-one.travels[0]), splat(-one.travels[1]), splat(-one.travels[2])};
    const F share = by_window(one, at) * splat(one.power);
    return {way.x * share, way.y * share, way.z * share};
  }
  const V3 to{splat(one.at[0]) - at.x, splat(one.at[1]) - at.y, splat(one.at[2]) - at.z};
  const F all = max(splat(1e-6f), sqrt(plain_dot(to, to)));
  way = {to.x / all, to.y / all, to.z / all};
  const bool is_panel = one.kind == LampKind::kPanel;
  const int parts = is_panel ? 4 : 1;
  V3 light{splat(0.0f), splat(0.0f), splat(0.0f)};
  for (int p = 0; p < parts; ++p) {
    V3 part = to;
    if (is_panel) {
      const float right = p & 1 ? 0.5f : -0.5f, up = p & 2 ? 0.5f : -0.5f;
      part.x = part.x + splat(right * one.right[0] + up * one.up[0]);
      part.y = part.y + splat(right * one.right[1] + up * one.up[1]);
      part.z = part.z + splat(right * one.right[2] + up * one.up[2]);
    }
    const F far = max(splat(kNearest), sqrt(plain_dot(part, part)));
    F share = splat(one.power / float(parts)) / (far * far * far);
    if (is_panel) {
      const V3 travels{splat(-one.travels[0]), splat(-one.travels[1]), splat(-one.travels[2])};
      share = share * max(splat(0.0f), plain_dot(part, travels) / far);
    }
    light = {light.x + part.x * share, light.y + part.y * share, light.z + part.z * share};
  }
  return light;
}

// The share of light from all around that the member itself does not stop.
INLINE F open_share(const FallTask& task) {
  const V3 from = load_three(task.around), normal = load_three(task.normals);
  const F zero = splat(0.0f), one = splat(1.0f), half = splat(0.5f);
  F seen = zero, all = zero;
  for (int d = 0; d < kCones; ++d) {
    const float* axis = task.cones->axes[d / 2];
    const float sign = d & 1 ? -1.0f : 1.0f;
    const V3 way{splat(sign * axis[0]), splat(sign * axis[1]), splat(sign * axis[2])};
    const F cosine = plain_dot(way, normal);
    const M ahead = ge(cosine, splat(kAround));
    if (!bits(ahead)) continue;
    F depth = zero;
    for (const Sample& step : kSamples) {
      const F met = depth_in(task.coarse[step.width], task.coarse_size, along(from, way, splat(step.at)));
      depth = depth + met * splat((1 - step.at / kReach) * step.length);
    }
    all = all + zero_unless(ahead, cosine);
    seen = seen + zero_unless(ahead, cosine / (one + depth * (one + half * depth)));
  }
  return seen / max(all, splat(1e-6f));
}

static void fall_on(const FallTask& task) {
  store(task.open, open_share(task));
  const V3 at = load_three(task.at), normal = load_three(task.normals);
  const F faintest = splat(kFaintest);
  for (int l = 0; l < task.count; ++l) {
    const F open = load(task.lets_by + 16 * l);
    const M reached = ge(open, faintest);
    if (!bits(reached)) continue;
    V3 way;
    const V3 light = sent(task.lamps[l], at, way);
    const F most = sqrt(plain_dot(light, light)), left = open * most;
    const M lit = reached & ge(left, faintest) & ge(plain_dot(light, normal), splat(kBehind) * most);
    if (!bits(lit)) continue;
    const M bright = lit & ge(left, splat(kDim));
    F kept = open;
    if (bits(bright)) kept = select(bright, open * out_of_member(task, way, bright), open);
    kept = zero_unless(lit, kept);
    float* out = task.vectors + 48 * task.lamps[l].lamp;
    store(out, load(out) + kept * light.x);
    store(out + 16, load(out + 16) + kept * light.y);
    store(out + 32, load(out + 32) + kept * light.z);
  }
}
