// How sixteen triangles are stretched in their planes.

constexpr float kEvenStretch = 1e-3f;  // a stretch that differs from 1 by less is none

// V of F = V R for F between a triangle's plane at rest and now, put into the scene's axes: nothing is stretched across.
static void stretch_triangles(const DrapeTask& task, int64_t begin, int64_t end) {
  const F zero = splat(0.0f), one = splat(1.0f), two = splat(2.0f), half = splat(0.5f);
  const F most = splat(task.most), least = splat(1 / task.most), even = splat(kEvenStretch);
  for (int64_t first = begin; first < end; first += 16) {
    const int count = end - first < 16 ? int(end - first) : 16;
    alignas(64) float packed[16][16];
    const float* rows[16];
    for (int i = 0; i < 16; ++i) {
      const int64_t id = first + (i < count ? i : 0), *held = task.triangles + 3 * id;
      for (int k = 0; k < 3; ++k) {
        UNROLL
        for (int axis = 0; axis < 3; ++axis) packed[i][3 * k + axis] = task.corners[3 * held[k] + axis];
        packed[i][9 + k] = task.rest[3 * id + k];
      }
      rows[i] = packed[i];
    }
    F c[16];
    gather(rows, 12, c);
    const V3 e = {c[3] - c[0], c[4] - c[1], c[5] - c[2]}, f = {c[6] - c[0], c[7] - c[1], c[8] - c[2]};
    const V3 n = {e.y * f.z - e.z * f.y, e.z * f.x - e.x * f.z, e.x * f.y - e.y * f.x};
    const F length = sqrt(e.x * e.x + e.y * e.y + e.z * e.z), area = sqrt(n.x * n.x + n.y * n.y + n.z * n.z);
    const M has_area = gt(length, zero) & gt(area, zero) & gt(c[9], zero) & gt(c[11], zero);
    const V3 t = {e.x / length, e.y / length, e.z / length}, m = {n.x / area, n.y / area, n.z / area};
    const V3 u = {m.y * t.z - m.z * t.y, m.z * t.x - m.x * t.z, m.x * t.y - m.y * t.x};
    const F along = f.x * t.x + f.y * t.y + f.z * t.z, across = area / length;
    const F p = length * c[9], q = length * c[10] + along * c[11], r = across * c[11];  // F = [p q; 0 r]
    // The root of F F^T in closed form, as its mean and how far its factors lie from that.
    const F root = p * r, size = one / sqrt(p * p + q * q + r * r + two * root);
    const F xx = (p * p + q * q + root) * size, xy = q * r * size, yy = (r * r + root) * size;
    const F mean = half * (xx + yy), aside = half * (xx - yy), far = sqrt(aside * aside + xy * xy);
    const M stretched = has_area & gt(max(abs(mean + far - one), abs(mean - far - one)), even);
    const F high = max(least, min(most, mean + far)), low = max(least, min(most, mean - far));
    const F middle = half * (high + low), scale = select(gt(far, zero), half * (high - low) / far, zero);
    const F vxx = middle + scale * aside - one, vxy = scale * xy, vyy = middle - scale * aside - one;
    const F ts[3] = {t.x, t.y, t.z}, us[3] = {u.x, u.y, u.z};
    F out[16];
    for (int k = 6; k < 16; ++k) out[k] = zero;
    for (int i = 0, k = 0; i < 3; ++i)
      for (int j = i; j < 3; ++j, ++k) {
        const F still = i == j ? one : zero;
        const F more = vxx * ts[i] * ts[j] + vxy * (ts[i] * us[j] + us[i] * ts[j]) + vyy * us[i] * us[j];
        out[k] = select(stretched, still + more, still);
      }
    float* to[16];
    for (int i = 0; i < 16; ++i) to[i] = i < count ? task.found + 6 * (first + i) : nullptr;
    scatter(out, to, 6);
  }
}
