// What falls on sixteen splats of a member where they stand, as the gains of what they show.
//
// R. Ramamoorthi, P. Hanrahan, "An efficient representation for irradiance environment maps", SIGGRAPH 2001.

// What a vector of light gives a surface, over pi: of a lamp that is partly below it, a part.
INLINE F given(const V3& light, const V3& normal, F soft) {
  const F x = light.x * normal.x + light.y * normal.y + light.z * normal.z, zero = splat(0.0f);
  const F wide = max(soft * sqrt(light.x * light.x + light.y * light.y + light.z * light.z), splat(1e-12f));
  const F part = max(zero, x + wide);
  return select(lt(x, wide), part * part / (splat(4.0f) * wide), x);
}

// Shades `fallen` by the member itself, and adds the lamps of splats' patches.
INLINE void add_lamps(const LightTask& task, int64_t first, int count, const V3& normal, F (&fallen)[3]) {
  static const float nothing[16] = {};
  for (int64_t sheet = 0; sheet < task.sheets; ++sheet) {
    const float* rows[16];
    for (int i = 0; i < 16; ++i) {
      const int32_t patch = task.patch[first + (i < count ? i : 0)];
      rows[i] = patch < 0 ? nothing : task.lamps + (sheet * task.patches + patch) * 16;
    }
    F row[16];
    gather(rows, 16, row);
    if (sheet == 0)
      for (F& one : fallen) one = one * row[0];
    UNROLL
    for (int l = 0; l < kLampsTogether; ++l) {
      const float* look = task.looks + 4 * (sheet * kLampsTogether + l);
      const F share = given({row[1 + 3 * l], row[2 + 3 * l], row[3 + 3 * l]}, normal, splat(look[3]));
      for (int c = 0; c < 3; ++c) fallen[c] = fma(share, splat(look[c]), fallen[c]);
    }
  }
}

// Adds suns, of each the share that gets to a splat.
INLINE void add_suns(const LightTask& task, int64_t first, const V3& normal, F (&fallen)[3]) {
  const int64_t blocks = (task.count + 15) / 16;
  for (int64_t s = 0; s < task.sun_count; ++s) {
    const float* sun = task.suns + 6 * s;
    const F cosine = normal.x * splat(sun[0]) + normal.y * splat(sun[1]) + normal.z * splat(sun[2]);
    const F share = max(splat(0.0f), cosine) * load(task.reach + (s * blocks + first / 16) * 16);
    for (int c = 0; c < 3; ++c) fallen[c] = fma(share, splat(sun[3 + c]), fallen[c]);
  }
}

static void light_gains(const LightTask& task, int64_t begin, int64_t end) {
  const F zero = splat(0.0f), one = splat(1.0f), low = splat(task.low), height = splat(task.high - task.low);
  const F strength = splat(task.strength), gain = splat(task.gain), most = splat(task.most);
  for (int64_t first = begin; first < end; first += 16) {
    const int count = end - first < 16 ? int(end - first) : 16;
    const float* rows[16];
    alignas(64) float heights[16];
    for (int i = 0; i < 16; ++i) {
      const int64_t id = first + (i < count ? i : 0);
      rows[i] = task.quats + 4 * id;
      heights[i] = task.means[3 * id + 2];
    }
    F turn[4];
    gather_fours(rows, turn);
    const float* own = task.surface + 9 * first;  // blocks of sixteen, value by value
    const float* way = task.facing ? task.facing + 3 * first : nullptr;
    const V3 n = way ? V3{load(way), load(way + 16), load(way + 32)} : turned(turn, {load(own), load(own + 16), load(own + 32)});
    const F up = max(zero, min(one, (load(heights) - low) / height));
    const F basis[9] = {splat(0.282095f),
                        splat(0.488603f) * n.y,
                        splat(0.488603f) * n.z,
                        splat(0.488603f) * n.x,
                        splat(1.092548f) * (n.x * n.y),
                        splat(1.092548f) * (n.y * n.z),
                        splat(0.315392f) * (splat(3.0f) * (n.z * n.z) - one),
                        splat(1.092548f) * (n.x * n.z),
                        splat(0.546274f) * (n.x * n.x - n.y * n.y)};
    F gains[3], falls[3];
    for (int c = 0; c < 3; ++c) {
      F below = zero, above = zero;
      UNROLL
      for (int k = 0; k < 9; ++k) {
        below = fma(basis[k], splat(task.below[k][c]), below);
        above = fma(basis[k], splat(task.above[k][c]), above);
      }
      falls[c] = max(zero, fma(above, up, below * (one - up)));
    }
    if (task.lamps) {
      add_lamps(task, first, count, n, falls);
      add_suns(task, first, n, falls);
      for (int c = 0; c < 3; ++c) falls[c] = falls[c] / load(task.studio + 3 * first + 16 * c);
    }
    for (int c = 0; c < 3; ++c) {
      const F light = max(zero, load(own + 16 * (6 + c)) * (fma(strength, falls[c] - one, one) * gain));
      gains[c] = min(most, display_of(light) / load(own + 16 * (3 + c)));
    }
    alignas(64) float out[48];
    interleave(gains[0], gains[1], gains[2], out);
    for (int i = 0; i < 3 * count; ++i) task.gains[3 * first + i] = out[i];
  }
}
