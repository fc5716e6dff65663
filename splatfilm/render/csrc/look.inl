// Sixteen places look around: see cones.h.

INLINE F whole_of(F x) { return x - fraction(x); }

// Whether a copy may have something where a step leads from the places. No more than a few numbers are looked at.
INLINE bool may_meet(const LookTask& task, const ConeStep& step) {
  if (!task.middle) return true;
  const float along[3] = {step.x, step.y, step.z};
  int at[3];
  for (int k = 0; k < 3; ++k) {
    at[k] = int((task.middle[k] + along[k]) * (1.0f / kSide) + 1.0f);  // below 0 it is out of sight from there too
    if (at[k] < 0 || at[k] >= task.blocks[k]) return false;
  }
  return task.filled_blocks[step.width][(at[2] * task.blocks[1] + at[1]) * task.blocks[0] + at[0]] != 0;
}

static bool look_around(const LookTask& task) {
  const F nx = splat(float(task.nx)), ny = splat(float(task.ny)), nz = splat(float(task.nz)), zero = splat(0.0f);
  const F x = load(task.x), y = load(task.y), z = load(task.z), one = splat(1.0f), half = splat(0.5f);
  const int steps = task.cones->count, row = task.nx, plane = task.nx * task.ny;
  bool any = false;
  for (int d = 0; d < kCones; ++d) {
    if (!(task.able >> d & 1u)) continue;
    F met[kMostSteps];
    uint32_t filled = 0;  // a bit for each step that meets anything: most cones meet nothing, and are done
    for (int t = 0; t < steps; ++t) {
      const ConeStep& step = task.cones->steps[d][t];
      if (!may_meet(task, step)) continue;
      const F i = whole_of(x + splat(step.x)), j = whole_of(y + splat(step.y)), k = whole_of(z + splat(step.z));
      const M inside = lt(i, nx) & ge(i, zero) & lt(j, ny) & ge(j, zero) & lt(k, nz) & ge(k, zero);
      if (!bits(inside)) continue;
      const F depth = look_up(task.copies[step.width], inside, i, j, k, row, plane);
      if (!bits(gt(depth, zero))) continue;
      met[t] = depth * splat(step.length);
      filled |= 1u << t;
    }
    if (!filled) continue;
    if (!any)
      for (int before = 0; before < kCones; ++before) store(task.filled + 16 * before, zero);
    any = true;
    F open = one, sum = zero;
    F clear = splat(float(kMostSteps)), later = zero;
    if (task.open) {
      const F both = load_bytes(task.open + 16 * d) * splat(1.0f / 16.0f);
      clear = whole_of(both);
      later = (both - clear) * splat(16.0f / 15.0f);
    }
    for (int t = 0; t < steps; ++t) {
      if (!(filled >> t & 1u)) continue;
      // exp(-depth) of the light, without a library's last bit.
      const F after = open / (one + met[t] * (one + met[t] * half));
      const F taken = (open - after) * splat(task.cones->steps[d][t].fade);
      sum = sum + select(lt(splat(float(t)), clear), taken, taken * later);
      open = after;
    }
    store(task.filled + 16 * d, sum);
  }
  return any;
}
