// Sixteen floats in two AVX2 registers, with FMA. See simd.h for the contract that every instruction set fulfils.
#pragma once

struct F {
  __m256 lo, hi;
};
struct M {
  __m256 lo, hi;
};

INLINE __m256i first_lanes(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

INLINE F splat(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
INLINE F load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
INLINE F load_first(const float* p, int n) {
  return {_mm256_maskload_ps(p, first_lanes(n)), _mm256_maskload_ps(p + 8, first_lanes(n - 8))};
}
INLINE void store(float* p, F a) {
  _mm256_storeu_ps(p, a.lo);
  _mm256_storeu_ps(p + 8, a.hi);
}
INLINE void store_first(float* p, F a, int n) {
  _mm256_maskstore_ps(p, first_lanes(n), a.lo);
  if (n > 8) _mm256_maskstore_ps(p + 8, first_lanes(n - 8), a.hi);
}

INLINE F operator+(F a, F b) { return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)}; }
INLINE F operator-(F a, F b) { return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)}; }
INLINE F operator*(F a, F b) { return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)}; }
INLINE F operator/(F a, F b) { return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)}; }
INLINE F fma(F a, F b, F c) { return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)}; }
INLINE F fnma(F a, F b, F c) { return {_mm256_fnmadd_ps(a.lo, b.lo, c.lo), _mm256_fnmadd_ps(a.hi, b.hi, c.hi)}; }
INLINE F sqrt(F a) { return {_mm256_sqrt_ps(a.lo), _mm256_sqrt_ps(a.hi)}; }
INLINE F min(F a, F b) { return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)}; }
INLINE F max(F a, F b) { return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)}; }
INLINE F abs(F a) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_andnot_ps(sign, a.lo), _mm256_andnot_ps(sign, a.hi)};
}

INLINE M lt(F a, F b) { return {_mm256_cmp_ps(a.lo, b.lo, _CMP_LT_OQ), _mm256_cmp_ps(a.hi, b.hi, _CMP_LT_OQ)}; }
INLINE M le(F a, F b) { return {_mm256_cmp_ps(a.lo, b.lo, _CMP_LE_OQ), _mm256_cmp_ps(a.hi, b.hi, _CMP_LE_OQ)}; }
INLINE M gt(F a, F b) { return {_mm256_cmp_ps(a.lo, b.lo, _CMP_GT_OQ), _mm256_cmp_ps(a.hi, b.hi, _CMP_GT_OQ)}; }
INLINE M ge(F a, F b) { return {_mm256_cmp_ps(a.lo, b.lo, _CMP_GE_OQ), _mm256_cmp_ps(a.hi, b.hi, _CMP_GE_OQ)}; }
INLINE M operator&(M a, M b) { return {_mm256_and_ps(a.lo, b.lo), _mm256_and_ps(a.hi, b.hi)}; }
INLINE M ge_where(M m, F a, F b) { return m & ge(a, b); }
INLINE M gt_where(M m, F a, F b) { return m & gt(a, b); }
INLINE M le_where(M m, F a, F b) { return m & le(a, b); }
INLINE unsigned bits(M m) { return unsigned(_mm256_movemask_ps(m.lo)) | unsigned(_mm256_movemask_ps(m.hi)) << 8; }
INLINE __m256 lanes_of(unsigned b) {
  const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  return _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(int(b)), bit), bit));
}
INLINE M mask_of(unsigned b) { return {lanes_of(b), lanes_of(b >> 8)}; }
INLINE F select(M m, F a, F b) { return {_mm256_blendv_ps(b.lo, a.lo, m.lo), _mm256_blendv_ps(b.hi, a.hi, m.hi)}; }
INLINE F zero_unless(M m, F a) { return {_mm256_and_ps(m.lo, a.lo), _mm256_and_ps(m.hi, a.hi)}; }
INLINE F fma_where(M m, F a, F b, F c) { return select(m, fma(a, b, c), c); }

INLINE F fraction(F x) { return {_mm256_sub_ps(x.lo, _mm256_floor_ps(x.lo)), _mm256_sub_ps(x.hi, _mm256_floor_ps(x.hi))}; }
INLINE __m256 scale_by_power(__m256 a, __m256 x) {
  const __m256i n = _mm256_slli_epi32(_mm256_cvttps_epi32(_mm256_floor_ps(x)), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), n));
}
INLINE F scale_by_power(F a, F x) { return {scale_by_power(a.lo, x.lo), scale_by_power(a.hi, x.hi)}; }

INLINE __m256 split_exponent(__m256 x, __m256& exponent) {
  const __m256i i = _mm256_castps_si256(x);
  const __m256i e = _mm256_srai_epi32(_mm256_sub_epi32(i, _mm256_set1_epi32(0x3f400000)), 23);
  exponent = _mm256_cvtepi32_ps(e);
  return _mm256_castsi256_ps(_mm256_sub_epi32(i, _mm256_slli_epi32(e, 23)));
}
INLINE F split_exponent(F x, F& e) { return {split_exponent(x.lo, e.lo), split_exponent(x.hi, e.hi)}; }

// The numbers 0..255 of sixteen bytes.
INLINE F load_bytes(const uint8_t* p) {
  const __m128i all = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(all)), _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(all, 8)))};
}
INLINE __m256 look_up(const int32_t* table, __m256 m, __m256 x, __m256 y, __m256 z, int row, int plane) {
  const __m256i down = _mm256_mullo_epi32(_mm256_cvttps_epi32(z), _mm256_set1_epi32(plane));
  const __m256i across = _mm256_mullo_epi32(_mm256_cvttps_epi32(y), _mm256_set1_epi32(row));
  const __m256i at = _mm256_add_epi32(_mm256_add_epi32(down, across), _mm256_cvttps_epi32(x));
  const __m256i mask = _mm256_castps_si256(m);
  return _mm256_cvtepi32_ps(_mm256_mask_i32gather_epi32(_mm256_setzero_si256(), table, at, mask, 4));
}
// table[z * plane + y * row + x] of whole numbers as floats; 0 where m is not.
INLINE F look_up(const int32_t* table, M m, F x, F y, F z, int row, int plane) {
  return {look_up(table, m.lo, x.lo, y.lo, z.lo, row, plane), look_up(table, m.hi, x.hi, y.hi, z.hi, row, plane)};
}

// Four floats each of four rows, and back.
INLINE __m256 load_fours(const float* a, const float* b) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(a)), _mm_loadu_ps(b), 1);
}
INLINE F load_fours(const float* a, const float* b, const float* c, const float* d) { return {load_fours(a, b), load_fours(c, d)}; }
INLINE void store_fours(F v, float* a, float* b, float* c, float* d) {
  _mm_storeu_ps(a, _mm256_castps256_ps128(v.lo));
  _mm_storeu_ps(b, _mm256_extractf128_ps(v.lo, 1));
  _mm_storeu_ps(c, _mm256_castps256_ps128(v.hi));
  _mm_storeu_ps(d, _mm256_extractf128_ps(v.hi, 1));
}
// Transposes each of four blocks of four by four.
INLINE void transpose_fours(__m256& r0, __m256& r1, __m256& r2, __m256& r3) {
  const __m256 a = _mm256_unpacklo_ps(r0, r1), b = _mm256_unpackhi_ps(r0, r1);
  const __m256 c = _mm256_unpacklo_ps(r2, r3), d = _mm256_unpackhi_ps(r2, r3);
  r0 = _mm256_shuffle_ps(a, c, 0x44), r1 = _mm256_shuffle_ps(a, c, 0xee);
  r2 = _mm256_shuffle_ps(b, d, 0x44), r3 = _mm256_shuffle_ps(b, d, 0xee);
}
INLINE void transpose_fours(F (&r)[4]) {
  transpose_fours(r[0].lo, r[1].lo, r[2].lo, r[3].lo);
  transpose_fours(r[0].hi, r[1].hi, r[2].hi, r[3].hi);
}

INLINE void transpose8(__m256 (&r)[8]) {
  __m256 t[8];
  UNROLL
  for (int i = 0; i < 8; i += 4) {
    const __m256 a = _mm256_unpacklo_ps(r[i], r[i + 1]), b = _mm256_unpackhi_ps(r[i], r[i + 1]);
    const __m256 c = _mm256_unpacklo_ps(r[i + 2], r[i + 3]), d = _mm256_unpackhi_ps(r[i + 2], r[i + 3]);
    t[i] = _mm256_shuffle_ps(a, c, 0x44);
    t[i + 1] = _mm256_shuffle_ps(a, c, 0xee);
    t[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
    t[i + 3] = _mm256_shuffle_ps(b, d, 0xee);
  }
  UNROLL
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x20);
    r[i + 4] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x31);
  }
}
INLINE void transpose(F (&r)[16]) {
  __m256 a[8], b[8], c[8], d[8];
  UNROLL
  for (int i = 0; i < 8; ++i) {
    a[i] = r[i].lo;
    b[i] = r[i].hi;
    c[i] = r[i + 8].lo;
    d[i] = r[i + 8].hi;
  }
  transpose8(a);
  transpose8(b);
  transpose8(c);
  transpose8(d);
  UNROLL
  for (int i = 0; i < 8; ++i) {
    r[i] = {a[i], c[i]};
    r[i + 8] = {b[i], d[i]};
  }
}

// Eight sums of eight lanes: the lower three levels of the tree in sum_lanes.
INLINE __m256 sum_eight(const __m256* v) {
  __m256 a[4];
  UNROLL
  for (int i = 0; i < 4; ++i)  // rows 2i | 2i+1, four lanes each
    a[i] = _mm256_add_ps(_mm256_permute2f128_ps(v[2 * i], v[2 * i + 1], 0x20),
                         _mm256_permute2f128_ps(v[2 * i], v[2 * i + 1], 0x31));
  // b0 = rows (0, 2) | (1, 3), two lanes each; b1 = rows (4, 6) | (5, 7)
  const __m256 b0 = _mm256_add_ps(_mm256_shuffle_ps(a[0], a[1], 0x44), _mm256_shuffle_ps(a[0], a[1], 0xee));
  const __m256 b1 = _mm256_add_ps(_mm256_shuffle_ps(a[2], a[3], 0x44), _mm256_shuffle_ps(a[2], a[3], 0xee));
  // c = rows 0 2 4 6 | 1 3 5 7
  const __m256 c = _mm256_add_ps(_mm256_shuffle_ps(b0, b1, 0x88), _mm256_shuffle_ps(b0, b1, 0xdd));
  return _mm256_permutevar8x32_ps(c, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}
template <int N>
INLINE F sum_lanes(const F (&v)[N]) {
  __m256 h[16];
  UNROLL
  for (int i = 0; i < 16; ++i) h[i] = i < N ? _mm256_add_ps(v[i < N ? i : 0].lo, v[i < N ? i : 0].hi) : _mm256_setzero_ps();
  return {sum_eight(h), N > 8 ? sum_eight(h + 8) : _mm256_setzero_ps()};
}

INLINE int list_bits(unsigned m, int base, int* out) {
  int n = 0;
  for (; m; m &= m - 1) out[n++] = base + __builtin_ctz(m);
  return n;
}

INLINE void interleave(F a, F b, F c, float* out) {
  float t[3][16];
  store(t[0], a);
  store(t[1], b);
  store(t[2], c);
  UNROLL
  for (int i = 0; i < 16; ++i)
    UNROLL
    for (int k = 0; k < 3; ++k) out[3 * i + k] = t[k][i];
}

#include "simd_x86_bits.h"
