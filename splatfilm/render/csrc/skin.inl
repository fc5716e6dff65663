// Dual quaternion skinning: L. Kavan, S. Collins, J. Zara, C. O'Sullivan, "Skinning with dual quaternions", I3D 2007.
//
// Unlike blended matrices, blended unit dual quaternions are rigid: nothing collapses however far a joint twists, and a
// splat's covariance and colours turn by the very rotation that comes out.

// The Hamilton product a b.
INLINE void hamilton(const F (&a)[4], const F (&b)[4], F (&out)[4]) {
  out[0] = fnma(a[3], b[3], fnma(a[2], b[2], fnma(a[1], b[1], a[0] * b[0])));
  out[1] = fnma(a[3], b[2], fma(a[2], b[3], fma(a[1], b[0], a[0] * b[1])));
  out[2] = fnma(a[1], b[3], fma(a[3], b[1], fma(a[2], b[0], a[0] * b[2])));
  out[3] = fnma(a[2], b[1], fma(a[3], b[0], fma(a[1], b[2], a[0] * b[3])));
}

// The weighted sum of the dual quaternions that carry sixteen splats, each taken on the side of the heaviest.
INLINE void blended_bones(const SkinTask& task, int64_t first, int count, F (&sum)[8]) {
  F pivot[4];
  const float* rows[16];
  UNROLL
  for (int i = 0; i < 16; ++i) rows[i] = task.weights + 4 * (first + (i < count ? i : 0));
  F weights[16];
  gather(rows, 4, weights);
  for (int k = 0; k < 4; ++k) {
    if (k && !bits(gt(weights[k], splat(0.0f)))) break;
    UNROLL
    for (int i = 0; i < 16; ++i) rows[i] = task.bones + 8 * int64_t(task.joints[4 * (first + (i < count ? i : 0)) + k]);
    F bone[16], weight = weights[k];
    gather(rows, 8, bone);
    if (k == 0) {
      UNROLL
      for (int j = 0; j < 4; ++j) pivot[j] = bone[j];
      UNROLL
      for (int j = 0; j < 8; ++j) sum[j] = weight * bone[j];
      continue;
    }
    const F cosine = fma(pivot[0], bone[0], fma(pivot[1], bone[1], fma(pivot[2], bone[2], pivot[3] * bone[3])));
    weight = select(lt(cosine, splat(0.0f)), splat(0.0f) - weight, weight);
    UNROLL
    for (int j = 0; j < 8; ++j) sum[j] = fma(weight, bone[j], sum[j]);
  }
}

// v + 2 u x (u x v + w v): a vector turned by the unit quaternion (w, u).
INLINE V3 turned(const F (&q)[4], const V3& v) {
  const F two = splat(2.0f);
  const V3 t = {fma(q[2], v.z, fnma(q[3], v.y, q[0] * v.x)), fma(q[3], v.x, fnma(q[1], v.z, q[0] * v.y)),
                fma(q[1], v.y, fnma(q[2], v.x, q[0] * v.z))};
  return {fma(two, fnma(q[3], t.y, q[2] * t.z), v.x), fma(two, fnma(q[1], t.z, q[3] * t.x), v.y),
          fma(two, fnma(q[2], t.x, q[1] * t.y), v.z)};
}

// Where bones carry points, and nothing else.
static void skin_points(const SkinTask& task, int64_t begin, int64_t end) {
  for (int64_t first = begin; first < end; first += 16) {
    const int count = end - first < 16 ? int(end - first) : 16;
    F sum[8];
    blended_bones(task, first, count, sum);
    const F inverse =
        splat(1.0f) / sqrt(fma(sum[0], sum[0], fma(sum[1], sum[1], fma(sum[2], sum[2], sum[3] * sum[3]))));
    F turn[4], dual[4], shift[4];
    UNROLL
    for (int k = 0; k < 4; ++k) {
      turn[k] = sum[k] * inverse;
      dual[k] = sum[k + 4] * inverse;
    }
    alignas(64) float at[3][16];
    for (int i = 0; i < 16; ++i)
      for (int k = 0; k < 3; ++k) at[k][i] = task.means[3 * (first + (i < count ? i : 0)) + k];
    const V3 moved = turned(turn, {load(at[0]), load(at[1]), load(at[2])});
    const F back[4] = {turn[0], splat(0.0f) - turn[1], splat(0.0f) - turn[2], splat(0.0f) - turn[3]};
    hamilton(dual, back, shift);
    alignas(64) float out[48];
    interleave(fma(splat(2.0f), shift[1], moved.x), fma(splat(2.0f), shift[2], moved.y), fma(splat(2.0f), shift[3], moved.z), out);
    for (int i = 0; i < 3 * count; ++i) task.out_means[3 * first + i] = out[i];
  }
}

static void skin(const SkinTask& task, int64_t begin, int64_t end) {
  if (!task.quats) return skin_points(task, begin, end);
  for (int64_t first = begin; first < end; first += 16) {
    const int count = end - first < 16 ? int(end - first) : 16;
    F sum[8];
    blended_bones(task, first, count, sum);
    const F inverse =
        splat(1.0f) / sqrt(fma(sum[0], sum[0], fma(sum[1], sum[1], fma(sum[2], sum[2], sum[3] * sum[3]))));
    F turn[4], dual[4], quat[4], product[4];
    UNROLL
    for (int k = 0; k < 4; ++k) {
      turn[k] = sum[k] * inverse;
      dual[k] = sum[k + 4] * inverse;
    }
    alignas(64) float packed[16][16];
    const float* rows[16];
    UNROLL
    for (int i = 0; i < 16; ++i) {
      const int64_t id = first + (i < count ? i : 0);
      UNROLL
      for (int k = 0; k < 3; ++k) packed[i][k] = task.means[3 * id + k];
      UNROLL
      for (int k = 0; k < 4; ++k) packed[i][3 + k] = task.quats[4 * id + k];
      rows[i] = packed[i];
    }
    F columns[16];
    gather(rows, 7, columns);
    const V3 moved = turned(turn, {columns[0], columns[1], columns[2]});
    UNROLL
    for (int k = 0; k < 4; ++k) quat[k] = columns[3 + k];
    hamilton(turn, quat, product);
    // Translation: the vector part of 2 d q*.
    const F back[4] = {turn[0], splat(0.0f) - turn[1], splat(0.0f) - turn[2], splat(0.0f) - turn[3]};
    F shift[4];
    hamilton(dual, back, shift);
    F out[16];
    UNROLL
    for (int k = 0; k < 16; ++k) out[k] = splat(0.0f);
    out[0] = fma(splat(2.0f), shift[1], moved.x);
    out[1] = fma(splat(2.0f), shift[2], moved.y);
    out[2] = fma(splat(2.0f), shift[3], moved.z);
    UNROLL
    for (int k = 0; k < 4; ++k) {
      out[3 + k] = product[k];
      out[7 + k] = turn[k];
    }
    transpose(out);
    for (int i = 0; i < count; ++i) {
      alignas(64) float row[16];
      store(row, out[i]);
      UNROLL
      for (int k = 0; k < 3; ++k) task.out_means[3 * (first + i) + k] = row[k];
      UNROLL
      for (int k = 0; k < 4; ++k) {
        task.out_quats[4 * (first + i) + k] = row[3 + k];
        task.turns[4 * (first + i) + k] = row[7 + k];
      }
    }
  }
}
