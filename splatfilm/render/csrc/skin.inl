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
  F weights[4];
  gather_fours(rows, weights);
  for (int k = 0; k < 4; ++k) {
    if (k && !bits(gt(weights[k], splat(0.0f)))) break;
    UNROLL
    for (int i = 0; i < 16; ++i) rows[i] = task.bones + 8 * int64_t(task.joints[4 * (first + (i < count ? i : 0)) + k]);
    F real[4], dual[4], weight = weights[k];
    gather_fours(rows, real);
    UNROLL
    for (int i = 0; i < 16; ++i) rows[i] += 4;
    gather_fours(rows, dual);
    if (k == 0) {
      UNROLL
      for (int j = 0; j < 4; ++j) pivot[j] = real[j], sum[j] = weight * real[j], sum[j + 4] = weight * dual[j];
      continue;
    }
    const F cosine = fma(pivot[0], real[0], fma(pivot[1], real[1], fma(pivot[2], real[2], pivot[3] * real[3])));
    weight = select(lt(cosine, splat(0.0f)), splat(0.0f) - weight, weight);
    UNROLL
    for (int j = 0; j < 4; ++j) sum[j] = fma(weight, real[j], sum[j]), sum[j + 4] = fma(weight, dual[j], sum[j + 4]);
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

// Where sixteen points are.
INLINE V3 points_at(const SkinTask& task, int64_t first, int count) {
  alignas(64) float at[3][16];
  UNROLL
  for (int i = 0; i < 16; ++i)
    UNROLL
    for (int k = 0; k < 3; ++k) at[k][i] = task.means[3 * (first + (i < count ? i : 0)) + k];
  return {load(at[0]), load(at[1]), load(at[2])};
}

// Where bones carry points, and which way splats are turned there, where there are quaternions.
static void skin(const SkinTask& task, int64_t begin, int64_t end) {
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
    const V3 moved = turned(turn, points_at(task, first, count));
    // Translation: the vector part of 2 d q*.
    const F back[4] = {turn[0], splat(0.0f) - turn[1], splat(0.0f) - turn[2], splat(0.0f) - turn[3]};
    hamilton(dual, back, shift);
    alignas(64) float spare[48];
    float* means = count == 16 ? task.out_means + 3 * first : spare;
    interleave(fma(splat(2.0f), shift[1], moved.x), fma(splat(2.0f), shift[2], moved.y), fma(splat(2.0f), shift[3], moved.z), means);
    if (means == spare)
      for (int i = 0; i < 3 * count; ++i) task.out_means[3 * first + i] = spare[i];
    if (!task.quats) continue;
    const float* rows[16];
    UNROLL
    for (int i = 0; i < 16; ++i) rows[i] = task.quats + 4 * (first + (i < count ? i : 0));
    F quat[4], product[4];
    gather_fours(rows, quat);
    hamilton(turn, quat, product);
    put_fours(product, count, task.out_quats + 4 * first);
    put_fours(turn, count, task.turns + 4 * first);
  }
}
