// Sixteen places look around: see cones.h.

INLINE F whole_of(F x) { return x - fraction(x); }

// Which steps of each cone may lead to something from the places: a bit for each.
INLINE void steps_that_may_meet(const LookTask& task, uint32_t (&meets)[kCones]) {
  const Cones& cones = *task.cones;
  const uint32_t all = (1u << cones.count) - 1;
  if (!task.middle) {
    for (int d = 0; d < kCones; ++d) meets[d] = task.able >> d & 1u ? all : 0;
  } else {
    const F x = splat(task.middle[0]), y = splat(task.middle[1]), z = splat(task.middle[2]), zero = splat(0.0f);
    const F nx = splat(float(task.blocks[0])), ny = splat(float(task.blocks[1])), nz = splat(float(task.blocks[2]));
    const F one = splat(1.0f), a_side = splat(1.0f / kSide);
    const int stride = cones.stride, plane = task.blocks[0] * task.blocks[1];
    uint32_t found[kMostPlaces / 16];
    for (int p = 0; p < kCones * stride; p += 16) {
      found[p / 16] = 0;
      const uint32_t some = stride == 8 ? 3u << (p / 8) : 1u << (p / stride);
      if (!(task.able & some)) continue;
      const F i = whole_of((x + load(cones.along[0] + p)) * a_side + one);
      const F j = whole_of((y + load(cones.along[1] + p)) * a_side + one);
      const F k = whole_of((z + load(cones.along[2] + p)) * a_side + one);
      const M inside = lt(i, nx) & ge(i, zero) & lt(j, ny) & ge(j, zero) & lt(k, nz) & ge(k, zero);
      if (!bits(inside)) continue;
      const F filled = look_up(task.filled_blocks, inside, i, j, k, task.blocks[0], plane);
      found[p / 16] = bits(inside & ge(filled, load(cones.narrower + p)));
    }
    for (int d = 0; d < kCones; ++d) {
      meets[d] = stride == 8 ? found[d / 2] >> 8 * (d & 1) & 255u : stride == 16 ? found[d] : found[2 * d] | found[2 * d + 1] << 16;
      if (!(task.able >> d & 1u)) meets[d] = 0;
    }
  }
  if (task.last)
    for (int d = 0; d < kCones; ++d) meets[d] &= (1u << task.last[d]) - 1;
}

struct Places {
  F x, y, z, nx, ny, nz;
};

INLINE Places places_of(const LookTask& task) {
  return {load(task.x), load(task.y), load(task.z), splat(float(task.nx)), splat(float(task.ny)), splat(float(task.nz))};
}

// How much of a cone is filled, 0..1, and whether anything is met; most cones meet nothing, and are done.
INLINE bool fills(const LookTask& task, const Places& at, int d, uint32_t meets, F& sum) {
  const F zero = splat(0.0f), one = splat(1.0f), half = splat(0.5f);
  const int row = task.nx, plane = task.nx * task.ny;
  F met[kMostSteps];
  uint32_t filled = 0;  // a bit for each step that meets anything
  for (; meets; meets &= meets - 1) {
    const int t = __builtin_ctz(meets);
    const ConeStep& step = task.cones->steps[d][t];
    const F i = whole_of(at.x + splat(step.x)), j = whole_of(at.y + splat(step.y)), k = whole_of(at.z + splat(step.z));
    const M inside = lt(i, at.nx) & ge(i, zero) & lt(j, at.ny) & ge(j, zero) & lt(k, at.nz) & ge(k, zero);
    if (!bits(inside)) continue;
    const F depth = look_up(task.copies[step.width], inside, i, j, k, row, plane);
    if (!bits(gt(depth, zero))) continue;
    met[t] = depth * splat(step.length);
    filled |= 1u << t;
  }
  sum = zero;
  if (!filled) return false;
  F open = one, clear = splat(float(kMostSteps)), later = zero;
  if (task.open) {
    const F both = load_bytes(task.open + 16 * d) * splat(1.0f / 16.0f);
    clear = whole_of(both);
    later = (both - clear) * splat(16.0f / 15.0f);
  }
  for (; filled; filled &= filled - 1) {
    const int t = __builtin_ctz(filled);
    // exp(-depth) of the light, without a library's last bit.
    const F after = open / (one + met[t] * (one + met[t] * half));
    const F taken = (open - after) * splat(task.cones->steps[d][t].fade);
    sum = sum + select(lt(splat(float(t)), clear), taken, taken * later);
    open = after;
  }
  return true;
}

static bool look_around(const LookTask& task, float* filled) {
  uint32_t meets[kCones];
  steps_that_may_meet(task, meets);
  const Places at = places_of(task);
  bool any = false;
  for (int d = 0; d < kCones; ++d) {
    F sum;
    if (!meets[d] || !fills(task, at, d, meets[d], sum)) continue;
    if (!any)
      for (int before = 0; before < kCones; ++before) store(filled + 16 * before, splat(0.0f));
    any = true;
    store(filled + 16 * d, sum);
  }
  return any;
}

static bool look_from_surfaces(const LookTask& task, const float* normals, float* shares) {
  uint32_t meets[kCones];
  steps_that_may_meet(task, meets);
  const Places at = places_of(task);
  const F zero = splat(0.0f), one = splat(1.0f);
  const F x = load(normals), y = load(normals + 16), z = load(normals + 32);
  F front = zero, back = zero, weights = zero;
  bool any = false;
  for (int k = 0; k < kAxes; ++k) {
    const float* axis = task.cones->axes[k];
    const F cosine = splat(axis[0]) * x + splat(axis[1]) * y + splat(axis[2]) * z, weight = abs(cosine);
    weights = weights + weight;
    F up = zero, down = zero;
    const bool above = meets[2 * k] && fills(task, at, 2 * k, meets[2 * k], up);
    const bool below = meets[2 * k + 1] && fills(task, at, 2 * k + 1, meets[2 * k + 1], down);
    if (!above && !below) continue;
    any = true;
    const M behind = lt(cosine, zero);
    front = front + weight * select(behind, down, up);
    back = back + weight * select(behind, up, down);
  }
  if (!any) return false;
  const F seen = min(one, max(front / weights, back / weights));
  store(shares, max(zero, (seen - splat(kFaint)) / splat(1 - kFaint)));
  return true;
}
