// What falls on sixteen splats of a member where they stand, as the gains of what they show.
//
// R. Ramamoorthi, P. Hanrahan, "An efficient representation for irradiance environment maps", SIGGRAPH 2001.

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
    F columns[16];
    gather(rows, 4, columns);
    const F turn[4] = {columns[0], columns[1], columns[2], columns[3]};
    const float* own = task.surface + 9 * first;  // blocks of sixteen, value by value
    const V3 n = turned(turn, {load(own), load(own + 16), load(own + 32)});
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
    F gains[3];
    for (int c = 0; c < 3; ++c) {
      F below = zero, above = zero;
      UNROLL
      for (int k = 0; k < 9; ++k) {
        below = fma(basis[k], splat(task.below[k][c]), below);
        above = fma(basis[k], splat(task.above[k][c]), above);
      }
      const F fallen = max(zero, fma(above, up, below * (one - up)));
      const F light = max(zero, load(own + 16 * (6 + c)) * (fma(strength, fallen - one, one) * gain));
      gains[c] = min(most, display_of(light) / load(own + 16 * (3 + c)));
    }
    alignas(64) float out[48];
    interleave(gains[0], gains[1], gains[2], out);
    for (int i = 0; i < 3 * count; ++i) task.gains[3 * first + i] = out[i];
  }
}
