// Projecting runs of splats to records, and carrying the records' gradients back to the splats.

INLINE void load_gaussians(const Scene& scene, const int64_t (&ids)[16], int count, Gaussians& g, F (&columns)[16]) {
  // One transposition for mean, quaternion, scale and opacity together: rows of eleven floats, put side by side.
  alignas(64) float packed[16][16];
  const float* rows[16];
  UNROLL
  for (int i = 0; i < 16; ++i) {
    const int64_t id = ids[i < count ? i : 0];
    float* row = packed[i];
    UNROLL
    for (int k = 0; k < 3; ++k) row[k] = scene.means[3 * id + k];
    UNROLL
    for (int k = 0; k < 4; ++k) row[3 + k] = scene.quats[4 * id + k];
    UNROLL
    for (int k = 0; k < 3; ++k) row[7 + k] = scene.scales[3 * id + k];
    row[10] = scene.opacities[id];
    rows[i] = row;
  }
  gather(rows, 11, columns);
  g.mean = {columns[0], columns[1], columns[2]};
  g.qw = columns[3];
  g.qx = columns[4];
  g.qy = columns[5];
  g.qz = columns[6];
  g.scale[0] = columns[7];
  g.scale[1] = columns[8];
  g.scale[2] = columns[9];
  g.opacity = columns[10];
}

INLINE M antialiased_of(const Scene& scene, const int64_t (&ids)[16]) {
  unsigned found = 0;
  for (int i = 0; i < 16; ++i) found |= unsigned(scene.antialiased[ids[i]] != 0) << i;
  return mask_of(found);
}

INLINE F float_ids(const int64_t (&ids)[16]) {
  alignas(64) int32_t i32[16];
  UNROLL
  for (int i = 0; i < 16; ++i) i32[i] = int32_t(ids[i]);
  return load(reinterpret_cast<const float*>(i32));
}

INLINE int32_t id_of(const float* record) {
  int32_t id;
  __builtin_memcpy(&id, record + ID, 4);
  return id;
}

INLINE V3 unit(const V3& v, F& inverse_length) {
  inverse_length = splat(1.0f) / sqrt(dot(v, v));
  return {v.x * inverse_length, v.y * inverse_length, v.z * inverse_length};
}

// Directions in the axes that sixteen splats had when their colours were learnt: R^T d.
INLINE V3 turned_back(const float* turns, const int64_t (&ids)[16], const V3& d) {
  const float* rows[16];
  UNROLL
  for (int i = 0; i < 16; ++i) rows[i] = turns + 4 * ids[i];
  F q[4], r[3][3];
  gather_fours(rows, q);
  axes_of(q, r);
  return {fma(r[0][0], d.x, fma(r[1][0], d.y, r[2][0] * d.z)), fma(r[0][1], d.x, fma(r[1][1], d.y, r[2][1] * d.z)),
          fma(r[0][2], d.x, fma(r[1][2], d.y, r[2][2] * d.z))};
}

INLINE void load_stretches(const float* stretches, const int64_t (&ids)[16], F (&stretch)[6]) {
  const float* rows[16];
  UNROLL
  for (int i = 0; i < 16; ++i) rows[i] = stretches + 6 * ids[i];
  F columns[16];
  gather(rows, 6, columns);
  UNROLL
  for (int k = 0; k < 6; ++k) stretch[k] = columns[k];
}

INLINE void rows_of(const Scene& scene, const int64_t (&ids)[16], int64_t (&rows)[16]) {
  UNROLL
  for (int i = 0; i < 16; ++i) rows[i] = scene.rows ? scene.rows[ids[i]] : ids[i];
}

// Asks for the coefficients of `count` records that will be coloured soon: blocks have them anywhere in memory.
INLINE void expect_colours(const Scene& scene, const float* records, int count) {
  for (int i = 0; i < count; ++i) {
    const char* row = reinterpret_cast<const char*>(scene.sh + int64_t(scene.rows[id_of(records + kRecord * i)]) * 3 * scene.basis);
    for (int at = 0; at < 12 * scene.basis; at += 64) __builtin_prefetch(row + at);
  }
}

// Colours of sixteen records (`count` of them real), which have had their places for numbers and get their rows; says
// which of them have a colour that is a number.
INLINE unsigned colour(const Scene& scene, const View& view, float* records, int count) {
  int64_t ids[16], at[16];
  const float* rows[16];
  alignas(64) float offsets[3][16];
  UNROLL
  for (int i = 0; i < 16; ++i) {
    ids[i] = id_of(records + kRecord * (i < count ? i : 0));
    UNROLL
    for (int k = 0; k < 3; ++k) offsets[k][i] = scene.means[3 * ids[i] + k] - view.position[k];
  }
  rows_of(scene, ids, at);
  F inverse_length, basis[16];
  V3 direction = unit({load(offsets[0]), load(offsets[1]), load(offsets[2])}, inverse_length);
  if (scene.turns) direction = turned_back(scene.turns, at, direction);
  harmonics(direction, view.degree, basis);

  const int used = 3 * (view.degree + 1) * (view.degree + 1);
  F sum[3] = {splat(kColourOffset), splat(kColourOffset), splat(kColourOffset)};
  UNROLL
  for (int first = 0; first < 48; first += 16) {
    if (first >= used) break;
    const int width = used - first < 16 ? used - first : 16;
    UNROLL
    for (int i = 0; i < 16; ++i) rows[i] = scene.sh + at[i] * 3 * scene.basis + first;
    F columns[16];
    gather(rows, width, columns);
    UNROLL
    for (int k = 0; k < 16; ++k) sum[(first + k) % 3] = fma(basis[(first + k) / 3], columns[k], sum[(first + k) % 3]);
  }
  alignas(64) float out[3][16];
  UNROLL
  for (int c = 0; c < 3; ++c) store(out[c], max(sum[c], splat(0.0f)));
  const unsigned good = bits(finite(sum[0]) & finite(sum[1]) & finite(sum[2]));
  for (int i = 0; i < count; ++i) {
    float* record = records + kRecord * i;
    UNROLL
    for (int c = 0; c < 3; ++c) record[RED + c] = out[c][i];
    const int32_t row = int32_t(at[i]);
    if (scene.rows) __builtin_memcpy(record + ID, &row, 4);
  }
  return good;
}

static int project(const Scene& scene, const View& view, int64_t begin, int64_t end, float* records) {
  const F one = splat(1.0f), zero = splat(0.0f);
  const float ln2 = 0.6931471805599453f;
  int visible = 0;
  for (int64_t first = begin; first < end; first += 16) {
    const int count = end - first < 16 ? int(end - first) : 16;
    int64_t ids[16];
    UNROLL
    for (int i = 0; i < 16; ++i) ids[i] = first + (i < count ? i : 0);
    Gaussians g;
    Projected p;
    // Most splats of an indoor view lie behind the camera: look at the depths alone first.
    alignas(64) float xyz[3][16];
    UNROLL
    for (int i = 0; i < 16; ++i)
      UNROLL
      for (int k = 0; k < 3; ++k) xyz[k][i] = scene.means[3 * ids[i] + k];
    to_camera({load(xyz[0]), load(xyz[1]), load(xyz[2])}, view, p);
    M seen = ge(p.t.z, splat(view.near_z)) & le(p.t.z, splat(view.far_z)) & mask_of((1u << count) - 1);
    if (!bits(seen)) continue;

    F columns[16];
    load_gaussians(scene, ids, count, g, columns);
    if (scene.stretches) {
      F stretch[6];
      int64_t rows[16];
      rows_of(scene, ids, rows);
      load_stretches(scene.stretches, rows, stretch);
      project_shape(g, view, p, &stretch);
    } else {
      project_shape(g, view, p);
    }
    F opacity = g.opacity;
    if (view.antialiased)
      opacity = opacity * sqrt(p.det0 / p.det);
    else if (scene.antialiased) {
      int64_t rows[16];
      rows_of(scene, ids, rows);
      opacity = select(antialiased_of(scene, rows), opacity * sqrt(p.det0 / p.det), opacity);
    }
    seen = seen & ge(opacity, splat(kMinAlpha)) & finite(opacity) & finite(p.det) & gt(p.det, zero) & gt(p.norm, zero);
    F x = fma(p.j1, p.t.x, splat(view.cx)), y = fma(p.j2, p.t.y, splat(view.cy));
    if (view.distortion) {
      const F over_x = fma(p.t.x, p.inverse_z, splat(view.shift_x)), over_y = fma(p.t.y, p.inverse_z, splat(view.shift_y));
      const Bent bent = bend(view, over_x, over_y);
      x = fma(splat(view.fx), bent.x, splat(view.cx));
      y = fma(splat(view.fy), bent.y, splat(view.cy));
      seen = seen & le(fma(over_x, over_x, over_y * over_y), splat(view.farthest));
    }
    const F log2_opacity = log2(opacity);
    // Ellipses reach to where alpha falls under the least that is drawn; the surplus covers rounding in the tests.
    const F reach = log2_opacity + splat(-kLog2MinAlpha + 0.02f);
    const F sigmas = sqrt(splat(2.0f * ln2) * reach);
    const F extent_x = sigmas * sqrt(p.a), extent_y = sigmas * sqrt(p.c);
    seen = seen & gt(x + extent_x, splat(float(view.left))) & lt(x - extent_x, splat(float(view.left + view.width))) &
           gt(y + extent_y, splat(float(view.top))) & lt(y - extent_y, splat(float(view.top + view.height))) & finite(x) & finite(y) & finite(extent_x) & finite(extent_y);
    unsigned remaining = bits(seen);
    if (!remaining) continue;

    const F root = splat(kRootHalfLog2E), root_c = sqrt(p.c), root_det = sqrt(p.det);
    const F v2 = root / root_c, over = one / (root_c * root_det);
    F record[16];
    record[X] = x;
    record[Y] = y;
    record[U1] = root * (p.c * over);
    record[U2] = zero - root * (p.b * over);
    record[V2] = v2;
    record[LOG2] = log2_opacity;
    record[RED] = record[GREEN] = record[BLUE] = zero;
    record[Z] = p.t.z;
    record[REACH] = reach;
    record[X_OF_Y] = p.b / p.c;
    record[Y_OF_X] = p.b / p.a;
    record[EXTENT_X] = extent_x;
    record[EXTENT_Y] = extent_y;
    record[ID] = float_ids(ids);
    transpose(record);
    for (; remaining; remaining &= remaining - 1) {
      const int lane = __builtin_ctz(remaining);
      store(records + kRecord * visible++, record[lane]);
    }
  }
  int kept = 0;
  for (int i = 0; i < visible; i += 16) {
    const int count = visible - i < 16 ? visible - i : 16;
    if (scene.rows && visible > i + 16) expect_colours(scene, records + kRecord * (i + 16), visible - i < 32 ? visible - i - 16 : 16);
    unsigned good = colour(scene, view, records + kRecord * i, count) & ((1u << count) - 1);
    if (kept == i && good == (1u << count) - 1) {
      kept += count;
      continue;
    }
    for (; good; good &= good - 1)
      store(records + kRecord * kept++, load(records + kRecord * (i + __builtin_ctz(good))));
  }
  return kept;
}

// dL/d(spherical harmonics) of sixteen splats goes to memory; returns dL/d(offset from the camera).
INLINE V3 colour_backward(const Scene& scene, const View& view, const int64_t (&ids)[16], int count, const V3& offset,
                          F (&d_colour)[3], float* d_sh) {
  F inverse_length, basis[16], d_basis[16];
  const V3 d = unit(offset, inverse_length);
  harmonics(d, view.degree, basis);
  UNROLL
  for (F& b : d_basis) b = splat(0.0f);

  const int used = 3 * (view.degree + 1) * (view.degree + 1), stored = 3 * scene.basis;
  const float* rows[16];
  F sh[48], sum[3] = {splat(kColourOffset), splat(kColourOffset), splat(kColourOffset)};
  UNROLL
  for (int first = 0; first < 48; first += 16) {
    if (first >= used) break;
    const int width = used - first < 16 ? used - first : 16;
    UNROLL
    for (int i = 0; i < 16; ++i) rows[i] = scene.sh + ids[i] * stored + first;
    F columns[16];
    gather(rows, width, columns);
    UNROLL
    for (int k = 0; k < 16; ++k) {
      sh[first + k] = columns[k];
      sum[(first + k) % 3] = fma(basis[(first + k) / 3], columns[k], sum[(first + k) % 3]);
    }
  }
  UNROLL
  for (int c = 0; c < 3; ++c) d_colour[c] = zero_unless(gt(sum[c], splat(0.0f)), d_colour[c]);

  float* out[16];
  UNROLL
  for (int first = 0; first < 48; first += 16) {
    if (first >= used) break;
    const int width = used - first < 16 ? used - first : 16;
    F columns[16];
    UNROLL
    for (int k = 0; k < 16; ++k) {
      const int j = first + k;
      columns[k] = basis[j / 3] * d_colour[j % 3];
      d_basis[j / 3] = fma(sh[j], d_colour[j % 3], d_basis[j / 3]);
    }
    UNROLL
    for (int i = 0; i < 16; ++i) out[i] = i < count ? d_sh + ids[i] * stored + first : nullptr;
    scatter(columns, out, width);
  }
  const V3 g = harmonics_backward(d, view.degree, d_basis);
  const F along = dot(d, g);
  return {fnma(d.x, along, g.x) * inverse_length, fnma(d.y, along, g.y) * inverse_length,
          fnma(d.z, along, g.z) * inverse_length};
}

// From sums over pixels to dL/d(record's centre, covariance, opacity), by g = conic (pixel - centre) = -d(ln alpha)/dd.
struct ShapeGradients {
  F x, y, a, b, c;  // b counts the off-diagonal element once for both of its places
};

INLINE ShapeGradients shape_gradients(const F (&s)[16], const Projected& p) {
  const F root = splat(kRootHalfLog2E), root_c = sqrt(p.c), over = splat(1.0f) / (root_c * sqrt(p.det));
  const F two_ln2 = splat(2.0f * 0.6931471805599453f), half = splat(0.5f);
  const F u1 = two_ln2 * (root * (p.c * over)), u2 = two_ln2 * (splat(0.0f) - root * (p.b * over)),
          v2 = two_ln2 * (root / root_c);
  ShapeGradients g;
  g.x = u1 * s[HU];
  g.y = fma(u2, s[HU], v2 * s[HV]);
  g.a = half * (u1 * u1) * s[HUU];
  g.b = u1 * fma(u2, s[HUU], v2 * s[HUV]);
  g.c = half * fma(u2 * u2, s[HUU], fma(splat(2.0f) * (u2 * v2), s[HUV], v2 * v2 * s[HVV]));
  return g;
}

// dL/d(quaternion as stored) from dL/d(rotation matrix).
INLINE void rotation_backward(const Projected& p, const F (&d)[3][3], F (&d_quat)[4]) {
  const F two = splat(2.0f), w = p.q[0], x = p.q[1], y = p.q[2], z = p.q[3];
  F g[4];
  g[0] = two * (fma(x, d[2][1] - d[1][2], fma(y, d[0][2] - d[2][0], z * (d[1][0] - d[0][1]))));
  g[1] = two * (fma(w, d[2][1] - d[1][2], fma(y, d[0][1] + d[1][0], z * (d[0][2] + d[2][0]))) -
                two * (x * (d[1][1] + d[2][2])));
  g[2] = two * (fma(w, d[0][2] - d[2][0], fma(x, d[0][1] + d[1][0], z * (d[1][2] + d[2][1]))) -
                two * (y * (d[0][0] + d[2][2])));
  g[3] = two * (fma(w, d[1][0] - d[0][1], fma(x, d[0][2] + d[2][0], y * (d[1][2] + d[2][1]))) -
                two * (z * (d[0][0] + d[1][1])));
  const F along = fma(p.q[0], g[0], fma(p.q[1], g[1], fma(p.q[2], g[2], p.q[3] * g[3])));
  const F inverse = splat(1.0f) / p.norm;
  UNROLL
  for (int k = 0; k < 4; ++k) d_quat[k] = fnma(p.q[k], along, g[k]) * inverse;
}

// Takes gradients of the bent centre (`x`, `y`) and of the bent shape (`dm1`, `dm2`) back through the lens: what is left is
// that of a pinhole, and `d_gx`, `d_gy` gain what the point where the derivative is taken does to the shape.
INLINE void unbend(const View& view, const Projected& p, F (&dm1)[3], F (&dm2)[3], F& x, F& y, F& d_gx, F& d_gy) {
  const F fx = splat(view.fx), fy = splat(view.fy), shift_x = splat(view.shift_x), shift_y = splat(view.shift_y);
  const Bent centre = bend(view, fma(p.t.x, p.inverse_z, shift_x), fma(p.t.y, p.inverse_z, shift_y));
  const F x_per = splat(view.fy / view.fx), y_per = splat(view.fx / view.fy);
  const F d_x = fma(centre.xx, x, centre.xy * (y * x_per));
  y = fma(centre.yy, y, centre.xy * (x * y_per));
  x = d_x;

  const F gx = p.gx + shift_x, gy = p.gy + shift_y;
  const Bent bent = bend(view, gx, gy);
  const BentTwice twice = bend_twice(view, gx, gy);
  F d_xx = splat(0.0f), d_xy = d_xx, d_yy = d_xx;
  UNROLL
  for (int j = 0; j < 3; ++j) {
    const F across = p.inverse_z * fnma(p.gx, p.arm[j].z, p.arm[j].x), up = p.inverse_z * fnma(p.gy, p.arm[j].z, p.arm[j].y);
    const F to_x = fx * dm1[j], to_y = fy * dm2[j];
    d_xx = fma(across, to_x, d_xx);
    d_xy = fma(up, to_x, fma(across, to_y, d_xy));
    d_yy = fma(up, to_y, d_yy);
    dm1[j] = fma(bent.xx, to_x, bent.xy * to_y) / fx;
    dm2[j] = fma(bent.xy, to_x, bent.yy * to_y) / fy;
  }
  d_gx = fma(d_xx, twice.xxx, fma(d_xy, twice.xxy, d_yy * twice.xyy));
  d_gy = fma(d_xx, twice.xxy, fma(d_xy, twice.xyy, d_yy * twice.yyy));
}

// Carries s (sums over pixels) back to the sixteen splats' own numbers: out = mean 3, quaternion 4, scale 3, opacity 1.
// `turn` is dL/d(turning the camera's axes about themselves).
INLINE void shape_backward(const Gaussians& g, const Projected& p, const View& view, const F (&s)[16], F (&out)[16],
                           V3& turn, M antialiased) {
  const F zero = splat(0.0f), two = splat(2.0f), half = splat(0.5f);
  const ShapeGradients d = shape_gradients(s, p);
  F da = d.a, dc = d.c, d_det0 = zero;
  const bool filters = bits(antialiased) != 0;
  if (filters) {  // ln opacity gains (ln det0 - ln det) / 2
    const F to_det = zero_unless(antialiased, zero - half * s[H] / p.det);
    d_det0 = zero_unless(antialiased, fma(half, s[H] / p.det0, to_det));
    da = fma(splat(kBlur), to_det, da);
    dc = fma(splat(kBlur), to_det, dc);
  }
  F dm1[3], dm2[3];
  UNROLL
  for (int j = 0; j < 3; ++j) {
    dm1[j] = fma(two * da, p.m1[j], d.b * p.m2[j]);
    dm2[j] = fma(two * dc, p.m2[j], d.b * p.m1[j]);
  }
  if (filters) {
    const F n0 = two * d_det0 * p.minor[0], n1 = two * d_det0 * p.minor[1], n2 = two * d_det0 * p.minor[2];
    dm1[0] = dm1[0] + fnma(n1, p.m2[2], n2 * p.m2[1]);
    dm1[1] = dm1[1] + fnma(n2, p.m2[0], n0 * p.m2[2]);
    dm1[2] = dm1[2] + fnma(n0, p.m2[1], n1 * p.m2[0]);
    dm2[0] = dm2[0] + fnma(n2, p.m1[1], n1 * p.m1[2]);
    dm2[1] = dm2[1] + fnma(n0, p.m1[2], n2 * p.m1[0]);
    dm2[2] = dm2[2] + fnma(n1, p.m1[0], n0 * p.m1[1]);
  }

  turn = {zero, zero, zero};
  V3 world[3];
  F sum1 = zero, sum2 = zero, d_gx = zero, d_gy = zero, d_x = d.x, d_y = d.y;
  if (view.distortion) unbend(view, p, dm1, dm2, d_x, d_y, d_gx, d_gy);
  UNROLL
  for (int j = 0; j < 3; ++j) {
    const F pin1 = p.j1 * fnma(p.gx, p.arm[j].z, p.arm[j].x), pin2 = p.j2 * fnma(p.gy, p.arm[j].z, p.arm[j].y);
    const F jm1 = p.j1 * dm1[j], jm2 = p.j2 * dm2[j];
    const V3 d_arm = {jm1, jm2, zero - fma(p.gx, jm1, p.gy * jm2)};
    world[j] = rotate_back(view.rotation, d_arm);
    turn = turn + cross(p.arm[j], d_arm);
    sum1 = fma(dm1[j], pin1, sum1);
    sum2 = fma(dm2[j], pin2, sum2);
    d_gx = fnma(jm1, p.arm[j].z, d_gx);
    d_gy = fnma(jm2, p.arm[j].z, d_gy);
  }
  const F x_over_z = p.t.x * p.inverse_z, y_over_z = p.t.y * p.inverse_z;
  d_gx = zero_unless(ge(x_over_z, splat(view.limit_left)) & le(x_over_z, splat(view.limit_right)), d_gx);
  d_gy = zero_unless(ge(y_over_z, splat(view.limit_top)) & le(y_over_z, splat(view.limit_bottom)), d_gy);
  const F tx = fma(p.j1, d_x, d_gx * p.inverse_z), ty = fma(p.j2, d_y, d_gy * p.inverse_z);
  const F tz = s[D_Z] - fma(p.inverse_z, sum1 + sum2, fma(x_over_z, tx, y_over_z * ty));
  const V3 d_mean = rotate_back(view.rotation, {tx, ty, tz});
  turn = turn + cross(p.t, {tx, ty, tz});
  out[0] = d_mean.x;
  out[1] = d_mean.y;
  out[2] = d_mean.z;

  F d_axes[3][3], d_quat[4];
  UNROLL
  for (int j = 0; j < 3; ++j) {
    out[7 + j] = dot({p.axes[0][j], p.axes[1][j], p.axes[2][j]}, world[j]);
    d_axes[0][j] = g.scale[j] * world[j].x;
    d_axes[1][j] = g.scale[j] * world[j].y;
    d_axes[2][j] = g.scale[j] * world[j].z;
  }
  rotation_backward(p, d_axes, d_quat);
  UNROLL
  for (int k = 0; k < 4; ++k) out[3 + k] = d_quat[k];
  out[10] = s[H] / g.opacity;
}

INLINE F sum_slots(const SlotRange& range, const PairSums& pairs) {
  F sum = splat(0.0f);
  for (int64_t k = range.begin; k < range.begin + range.count; ++k) {
    const int64_t slot = pairs.of_pair[k];
    if (pairs.touched[slot]) sum = sum + load(pairs.slots + slot * kSlot);
  }
  return sum;
}

INLINE void clear_run(const Scene& scene, int64_t begin, int64_t end, const SceneGradients& out) {
  const size_t n = size_t(end - begin) * sizeof(float);
  __builtin_memset(out.means + 3 * begin, 0, 3 * n);
  __builtin_memset(out.quats + 4 * begin, 0, 4 * n);
  __builtin_memset(out.scales + 3 * begin, 0, 3 * n);
  __builtin_memset(out.opacities + begin, 0, n);
  __builtin_memset(out.sh + 3 * scene.basis * begin, 0, 3 * unsigned(scene.basis) * n);
  if (out.absolute) __builtin_memset(out.absolute + 2 * begin, 0, 2 * n);
}

// Adds what moves and turns the camera, over the first `count` lanes: their sum in double, in the splats' order.
INLINE void add_pose(const View& view, const V3& turn, const F (&gradients)[16], int count, double (&pose)[6]) {
  const V3 move = rotate(view.rotation, {gradients[0], gradients[1], gradients[2]});
  alignas(64) float rows[6][16];
  store(rows[0], turn.x);
  store(rows[1], turn.y);
  store(rows[2], turn.z);
  store(rows[3], move.x);
  store(rows[4], move.y);
  store(rows[5], move.z);
  for (int k = 0; k < 6; ++k)
    for (int i = 0; i < count; ++i) pose[k] += double(rows[k][i]);
}

static void project_backward(const Scene& scene, const View& view, int64_t begin, int64_t end, const float* records,
                             int visible, const SlotRange* ranges, const PairSums& pairs, const SceneGradients& out) {
  clear_run(scene, begin, end, out);
  double pose[6] = {};
  for (int first = 0; first < visible; first += 16) {
    const int count = visible - first < 16 ? visible - first : 16;
    int64_t ids[16];
    F s[16], columns[16], gradients[16];
    UNROLL
    for (int i = 0; i < 16; ++i) {
      ids[i] = id_of(records + kRecord * (first + (i < count ? i : 0)));
      s[i] = i < count ? sum_slots(ranges[first + i], pairs) : splat(0.0f);
    }
    transpose(s);
    Gaussians g;
    Projected p;
    load_gaussians(scene, ids, count, g, columns);
    to_camera(g.mean, view, p);
    project_shape(g, view, p);
    UNROLL
    for (F& v : gradients) v = splat(0.0f);
    V3 turn;
    const M every = mask_of(view.antialiased ? 0xffffu : 0u);
    shape_backward(g, p, view, s, gradients, turn, scene.antialiased ? antialiased_of(scene, ids) : every);
    F d_colour[3] = {s[D_RED], s[D_GREEN], s[D_BLUE]};
    const V3 d_offset = colour_backward(scene, view, ids, count, p.offset, d_colour, out.sh);
    gradients[0] = gradients[0] + d_offset.x;
    gradients[1] = gradients[1] + d_offset.y;
    gradients[2] = gradients[2] + d_offset.z;
    if (out.pose) add_pose(view, turn, gradients, count, pose);

    alignas(64) float rows[16][16];
    transpose(gradients);
    for (int i = 0; i < count; ++i) {
      store(rows[i], gradients[i]);
      const float* row = rows[i];
      UNROLL
      for (int k = 0; k < 3; ++k) out.means[3 * ids[i] + k] = row[k];
      UNROLL
      for (int k = 0; k < 4; ++k) out.quats[4 * ids[i] + k] = row[3 + k];
      UNROLL
      for (int k = 0; k < 3; ++k) out.scales[3 * ids[i] + k] = row[7 + k];
      out.opacities[ids[i]] = row[10];
    }
    if (!out.absolute) continue;
    alignas(64) float absolute[2][16];
    store(absolute[0], s[ABS_X]);
    store(absolute[1], s[ABS_Y]);
    for (int i = 0; i < count; ++i)
      UNROLL
      for (int k = 0; k < 2; ++k) out.absolute[2 * ids[i] + k] = absolute[k][i];
  }
  if (out.pose) __builtin_memcpy(out.pose + 6 * (begin / kProjectRun), pose, sizeof pose);
}
