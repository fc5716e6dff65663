// Sixteen floats in four NEON registers (AArch64). See simd.h for the contract that every instruction set fulfils.
#pragma once


struct F {
  float32x4_t q[4];
};
struct M {
  uint32x4_t q[4];
};

#define EACH(expression)                                    \
  do {                                                      \
    UNROLL for (int i = 0; i < 4; ++i) r.q[i] = expression; \
    return r;                                               \
  } while (0)

INLINE F splat(float a) { F r; EACH(vdupq_n_f32(a)); }
INLINE F load(const float* p) { F r; EACH(vld1q_f32(p + 4 * i)); }
INLINE F load_first(const float* p, int n) {
  float t[16] = {};
  UNROLL
  for (int i = 0; i < n; ++i) t[i] = p[i];
  return load(t);
}
INLINE void store(float* p, F a) {
  UNROLL
  for (int i = 0; i < 4; ++i) vst1q_f32(p + 4 * i, a.q[i]);
}
INLINE void store_first(float* p, F a, int n) {
  float t[16];
  store(t, a);
  UNROLL
  for (int i = 0; i < n; ++i) p[i] = t[i];
}

INLINE F operator+(F a, F b) { F r; EACH(vaddq_f32(a.q[i], b.q[i])); }
INLINE F operator-(F a, F b) { F r; EACH(vsubq_f32(a.q[i], b.q[i])); }
INLINE F operator*(F a, F b) { F r; EACH(vmulq_f32(a.q[i], b.q[i])); }
INLINE F operator/(F a, F b) { F r; EACH(vdivq_f32(a.q[i], b.q[i])); }
INLINE F fma(F a, F b, F c) { F r; EACH(vfmaq_f32(c.q[i], a.q[i], b.q[i])); }
INLINE F fnma(F a, F b, F c) { F r; EACH(vfmsq_f32(c.q[i], a.q[i], b.q[i])); }
INLINE F sqrt(F a) { F r; EACH(vsqrtq_f32(a.q[i])); }
// As on x86: the second operand when either is not a number.
INLINE F min(F a, F b) { F r; EACH(vbslq_f32(vcltq_f32(a.q[i], b.q[i]), a.q[i], b.q[i])); }
INLINE F max(F a, F b) { F r; EACH(vbslq_f32(vcgtq_f32(a.q[i], b.q[i]), a.q[i], b.q[i])); }
INLINE F abs(F a) { F r; EACH(vabsq_f32(a.q[i])); }

INLINE M lt(F a, F b) { M r; EACH(vcltq_f32(a.q[i], b.q[i])); }
INLINE M le(F a, F b) { M r; EACH(vcleq_f32(a.q[i], b.q[i])); }
INLINE M gt(F a, F b) { M r; EACH(vcgtq_f32(a.q[i], b.q[i])); }
INLINE M ge(F a, F b) { M r; EACH(vcgeq_f32(a.q[i], b.q[i])); }
INLINE M operator&(M a, M b) { M r; EACH(vandq_u32(a.q[i], b.q[i])); }
INLINE M ge_where(M m, F a, F b) { return m & ge(a, b); }
INLINE M gt_where(M m, F a, F b) { return m & gt(a, b); }
INLINE M le_where(M m, F a, F b) { return m & le(a, b); }
INLINE unsigned bits(M m) {
  const uint32_t w[4] = {1, 2, 4, 8};
  const uint32x4_t weight = vld1q_u32(w);
  unsigned b = 0;
  UNROLL
  for (int i = 0; i < 4; ++i) b |= vaddvq_u32(vandq_u32(m.q[i], weight)) << (4 * i);
  return b;
}
INLINE M mask_of(unsigned b) {
  const uint32_t w[4] = {1, 2, 4, 8};
  const uint32x4_t weight = vld1q_u32(w);
  M r;
  EACH(vtstq_u32(vdupq_n_u32(b >> (4 * i)), weight));
}
INLINE F select(M m, F a, F b) { F r; EACH(vbslq_f32(m.q[i], a.q[i], b.q[i])); }
INLINE F zero_unless(M m, F a) {
  F r;
  EACH(vreinterpretq_f32_u32(vandq_u32(m.q[i], vreinterpretq_u32_f32(a.q[i]))));
}
INLINE F fma_where(M m, F a, F b, F c) { return select(m, fma(a, b, c), c); }

INLINE F fraction(F a) { F r; EACH(vsubq_f32(a.q[i], vrndmq_f32(a.q[i]))); }
INLINE F scale_by_power(F a, F x) {
  F r;
  EACH(vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(a.q[i]), vshlq_n_s32(vcvtmq_s32_f32(x.q[i]), 23))));
}
INLINE F split_exponent(F x, F& exponent) {
  F r;
  UNROLL
  for (int i = 0; i < 4; ++i) {
    const int32x4_t v = vreinterpretq_s32_f32(x.q[i]);
    const int32x4_t e = vshrq_n_s32(vsubq_s32(v, vdupq_n_s32(0x3f400000)), 23);
    exponent.q[i] = vcvtq_f32_s32(e);
    r.q[i] = vreinterpretq_f32_s32(vsubq_s32(v, vshlq_n_s32(e, 23)));
  }
  return r;
}

INLINE void transpose4(float32x4_t& a, float32x4_t& b, float32x4_t& c, float32x4_t& d) {
  const float32x4_t ab0 = vtrn1q_f32(a, b), ab1 = vtrn2q_f32(a, b), cd0 = vtrn1q_f32(c, d), cd1 = vtrn2q_f32(c, d);
  a = vreinterpretq_f32_f64(vtrn1q_f64(vreinterpretq_f64_f32(ab0), vreinterpretq_f64_f32(cd0)));
  b = vreinterpretq_f32_f64(vtrn1q_f64(vreinterpretq_f64_f32(ab1), vreinterpretq_f64_f32(cd1)));
  c = vreinterpretq_f32_f64(vtrn2q_f64(vreinterpretq_f64_f32(ab0), vreinterpretq_f64_f32(cd0)));
  d = vreinterpretq_f32_f64(vtrn2q_f64(vreinterpretq_f64_f32(ab1), vreinterpretq_f64_f32(cd1)));
}
// Four floats each of four rows, and back.
INLINE F load_fours(const float* a, const float* b, const float* c, const float* d) {
  return {{vld1q_f32(a), vld1q_f32(b), vld1q_f32(c), vld1q_f32(d)}};
}
INLINE void store_fours(F v, float* a, float* b, float* c, float* d) {
  vst1q_f32(a, v.q[0]), vst1q_f32(b, v.q[1]), vst1q_f32(c, v.q[2]), vst1q_f32(d, v.q[3]);
}
// Transposes each of four blocks of four by four.
INLINE void transpose_fours(F (&r)[4]) {
  UNROLL
  for (int i = 0; i < 4; ++i) transpose4(r[0].q[i], r[1].q[i], r[2].q[i], r[3].q[i]);
}
// The numbers 0..255 of sixteen bytes.
INLINE F load_bytes(const uint8_t* p) {
  float t[16];
  for (int i = 0; i < 16; ++i) t[i] = float(p[i]);
  return load(t);
}
// table[z * plane + y * row + x] of whole numbers as floats; 0 where m is not.
INLINE F look_up(const int32_t* table, M m, F x, F y, F z, int row, int plane) {
  float t[16];
  int32_t at[16];
  const unsigned inside = bits(m);
  for (int i = 0; i < 4; ++i) {
    const int32x4_t down = vmulq_n_s32(vcvtq_s32_f32(z.q[i]), plane), across = vmulq_n_s32(vcvtq_s32_f32(y.q[i]), row);
    vst1q_s32(at + 4 * i, vaddq_s32(vaddq_s32(down, across), vcvtq_s32_f32(x.q[i])));
  }
  for (int i = 0; i < 16; ++i) t[i] = inside >> i & 1u ? float(table[at[i]]) : 0.0f;
  return load(t);
}

INLINE void transpose(F (&r)[16]) {
  UNROLL
  for (int i = 0; i < 4; ++i)
    UNROLL
    for (int j = 0; j < 4; ++j) transpose4(r[4 * i].q[j], r[4 * i + 1].q[j], r[4 * i + 2].q[j], r[4 * i + 3].q[j]);
  UNROLL
  for (int i = 0; i < 4; ++i)
    UNROLL
    for (int j = 0; j < i; ++j)
      UNROLL
      for (int k = 0; k < 4; ++k) {
        const float32x4_t t = r[4 * i + k].q[j];
        r[4 * i + k].q[j] = r[4 * j + k].q[i];
        r[4 * j + k].q[i] = t;
      }
}
template <int N>
INLINE F sum_lanes(const F (&v)[N]) {
  float sums[16] = {};
  UNROLL
  for (int i = 0; i < N; ++i) {
    const float32x4_t four = vaddq_f32(vaddq_f32(v[i].q[0], v[i].q[2]), vaddq_f32(v[i].q[1], v[i].q[3]));
    const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    sums[i] = vget_lane_f32(vpadd_f32(two, two), 0);
  }
  return load(sums);
}
INLINE int list_bits(unsigned m, int base, int* out) {
  int n = 0;
  for (; m; m &= m - 1) out[n++] = base + __builtin_ctz(m);
  return n;
}
INLINE void interleave(F a, F b, F c, float* out) {
  UNROLL
  for (int i = 0; i < 4; ++i) vst3q_f32(out + 12 * i, (float32x4x3_t{{a.q[i], b.q[i], c.q[i]}}));
}
INLINE void transpose_bits(const uint16_t* in, uint16_t* out) {
  UNROLL
  for (int i = 0; i < 16; ++i) {
    unsigned b = 0;
    UNROLL
    for (int j = 0; j < 16; ++j) b |= unsigned(in[j] >> i & 1) << j;
    out[i] = uint16_t(b);
  }
}
#undef EACH
