// Sixteen floats in one AVX-512 register. See simd.h for the contract that every instruction set fulfils.
#pragma once

struct F {
  __m512 v;
};
struct M {
  __mmask16 v;
};

INLINE F splat(float x) { return {_mm512_set1_ps(x)}; }
INLINE F load(const float* p) { return {_mm512_loadu_ps(p)}; }
INLINE F load_first(const float* p, int n) { return {_mm512_maskz_loadu_ps(__mmask16((1u << n) - 1), p)}; }
INLINE void store(float* p, F a) { _mm512_storeu_ps(p, a.v); }
INLINE void store_first(float* p, F a, int n) { _mm512_mask_storeu_ps(p, __mmask16((1u << n) - 1), a.v); }

INLINE F operator+(F a, F b) { return {_mm512_add_ps(a.v, b.v)}; }
INLINE F operator-(F a, F b) { return {_mm512_sub_ps(a.v, b.v)}; }
INLINE F operator*(F a, F b) { return {_mm512_mul_ps(a.v, b.v)}; }
INLINE F operator/(F a, F b) { return {_mm512_div_ps(a.v, b.v)}; }
INLINE F fma(F a, F b, F c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
INLINE F fnma(F a, F b, F c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }
INLINE F sqrt(F a) { return {_mm512_sqrt_ps(a.v)}; }
INLINE F min(F a, F b) { return {_mm512_min_ps(a.v, b.v)}; }
INLINE F max(F a, F b) { return {_mm512_max_ps(a.v, b.v)}; }
INLINE F abs(F a) { return {_mm512_abs_ps(a.v)}; }

INLINE M lt(F a, F b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
INLINE M le(F a, F b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ)}; }
INLINE M gt(F a, F b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ)}; }
INLINE M ge(F a, F b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GE_OQ)}; }
INLINE M operator&(M a, M b) { return {__mmask16(a.v & b.v)}; }
INLINE M ge_where(M m, F a, F b) { return {_mm512_mask_cmp_ps_mask(m.v, a.v, b.v, _CMP_GE_OQ)}; }
INLINE M gt_where(M m, F a, F b) { return {_mm512_mask_cmp_ps_mask(m.v, a.v, b.v, _CMP_GT_OQ)}; }
INLINE M le_where(M m, F a, F b) { return {_mm512_mask_cmp_ps_mask(m.v, a.v, b.v, _CMP_LE_OQ)}; }
INLINE unsigned bits(M m) { return m.v; }
INLINE M mask_of(unsigned b) { return {__mmask16(b)}; }
INLINE F select(M m, F a, F b) { return {_mm512_mask_blend_ps(m.v, b.v, a.v)}; }
INLINE F zero_unless(M m, F a) { return {_mm512_maskz_mov_ps(m.v, a.v)}; }
INLINE F fma_where(M m, F a, F b, F c) { return {_mm512_mask3_fmadd_ps(a.v, b.v, c.v, m.v)}; }

// Splits x = fraction + whole, 0 <= fraction < 1.
INLINE F fraction(F x) { return {_mm512_sub_ps(x.v, _mm512_roundscale_ps(x.v, 0x09))}; }
// a * 2^floor(x); what comes out is unspecified when it would be subnormal or overflow.
INLINE F scale_by_power(F a, F x) { return {_mm512_scalef_ps(a.v, x.v)}; }

// x = m * 2^exponent with m in [0.75, 1.5), for positive normal x.
INLINE F split_exponent(F x, F& exponent) {
  const __m512i i = _mm512_castps_si512(x.v);
  const __m512i e = _mm512_srai_epi32(_mm512_sub_epi32(i, _mm512_set1_epi32(0x3f400000)), 23);
  exponent.v = _mm512_cvtepi32_ps(e);
  return {_mm512_castsi512_ps(_mm512_sub_epi32(i, _mm512_slli_epi32(e, 23)))};
}

// The numbers 0..255 of sixteen bytes.
INLINE F load_bytes(const uint8_t* p) {
  return {_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
}
// table[z * plane + y * row + x] of whole numbers as floats; 0 where m is not.
INLINE F look_up(const int32_t* table, M m, F x, F y, F z, int row, int plane) {
  const __m512i down = _mm512_mullo_epi32(_mm512_cvttps_epi32(z.v), _mm512_set1_epi32(plane));
  const __m512i across = _mm512_mullo_epi32(_mm512_cvttps_epi32(y.v), _mm512_set1_epi32(row));
  const __m512i at = _mm512_add_epi32(_mm512_add_epi32(down, across), _mm512_cvttps_epi32(x.v));
  return {_mm512_cvtepi32_ps(_mm512_mask_i32gather_epi32(_mm512_setzero_si512(), m.v, at, table, 4))};
}

// Four floats each of four rows, and back.
INLINE F load_fours(const float* a, const float* b, const float* c, const float* d) {
  const __m512 first = _mm512_insertf32x4(_mm512_castps128_ps512(_mm_loadu_ps(a)), _mm_loadu_ps(b), 1);
  return {_mm512_insertf32x4(_mm512_insertf32x4(first, _mm_loadu_ps(c), 2), _mm_loadu_ps(d), 3)};
}
INLINE void store_fours(F v, float* a, float* b, float* c, float* d) {
  _mm_storeu_ps(a, _mm512_castps512_ps128(v.v));
  _mm_storeu_ps(b, _mm512_extractf32x4_ps(v.v, 1));
  _mm_storeu_ps(c, _mm512_extractf32x4_ps(v.v, 2));
  _mm_storeu_ps(d, _mm512_extractf32x4_ps(v.v, 3));
}
// Transposes each of four blocks of four by four.
INLINE void transpose_fours(F (&r)[4]) {
  const __m512 a = _mm512_unpacklo_ps(r[0].v, r[1].v), b = _mm512_unpackhi_ps(r[0].v, r[1].v);
  const __m512 c = _mm512_unpacklo_ps(r[2].v, r[3].v), d = _mm512_unpackhi_ps(r[2].v, r[3].v);
  r[0].v = _mm512_shuffle_ps(a, c, 0x44), r[1].v = _mm512_shuffle_ps(a, c, 0xee);
  r[2].v = _mm512_shuffle_ps(b, d, 0x44), r[3].v = _mm512_shuffle_ps(b, d, 0xee);
}

INLINE void transpose(F (&r)[16]) {
  __m512 t[16], u[16];
  UNROLL
  for (int i = 0; i < 16; i += 4) {
    const __m512 a = _mm512_unpacklo_ps(r[i].v, r[i + 1].v), b = _mm512_unpackhi_ps(r[i].v, r[i + 1].v);
    const __m512 c = _mm512_unpacklo_ps(r[i + 2].v, r[i + 3].v), d = _mm512_unpackhi_ps(r[i + 2].v, r[i + 3].v);
    t[i] = _mm512_shuffle_ps(a, c, 0x44);
    t[i + 1] = _mm512_shuffle_ps(a, c, 0xee);
    t[i + 2] = _mm512_shuffle_ps(b, d, 0x44);
    t[i + 3] = _mm512_shuffle_ps(b, d, 0xee);
  }
  UNROLL
  for (int i = 0; i < 4; ++i) {
    u[i] = _mm512_shuffle_f32x4(t[i], t[i + 4], 0x88);
    u[i + 4] = _mm512_shuffle_f32x4(t[i], t[i + 4], 0xdd);
    u[i + 8] = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0x88);
    u[i + 12] = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0xdd);
  }
  UNROLL
  for (int i = 0; i < 4; ++i) {
    r[i].v = _mm512_shuffle_f32x4(u[i], u[i + 8], 0x88);
    r[i + 8].v = _mm512_shuffle_f32x4(u[i], u[i + 8], 0xdd);
    r[i + 4].v = _mm512_shuffle_f32x4(u[i + 4], u[i + 12], 0x88);
    r[i + 12].v = _mm512_shuffle_f32x4(u[i + 4], u[i + 12], 0xdd);
  }
}

// Lane i of the result is the sum of the lanes of v[i] (i < N <= 16), added as the tree (k, k+8), (k, k+4), (k, k+2), (k, k+1).
template <int N>
INLINE F sum_lanes(const F (&v)[N]) {
  const __m512 zero = _mm512_setzero_ps();
  __m512 a[8], b[4];
  UNROLL
  for (int i = 0; i < 8; ++i) {  // a[i] holds rows 2i and 2i+1, eight lanes each
    const __m512 x = 2 * i < N ? v[2 * i < N ? 2 * i : 0].v : zero;
    const __m512 y = 2 * i + 1 < N ? v[2 * i + 1 < N ? 2 * i + 1 : 0].v : zero;
    a[i] = 2 * i < N ? _mm512_add_ps(_mm512_shuffle_f32x4(x, y, 0x44), _mm512_shuffle_f32x4(x, y, 0xee)) : zero;
  }
  UNROLL
  for (int i = 0; i < 4; ++i)  // b[i] holds rows 4i .. 4i+3, four lanes each
    b[i] = 4 * i < N ? _mm512_add_ps(_mm512_shuffle_f32x4(a[2 * i], a[2 * i + 1], 0x88),
                                     _mm512_shuffle_f32x4(a[2 * i], a[2 * i + 1], 0xdd))
                     : zero;
  // Rows lie in 128-bit lanes: c0 = rows (0,4), (1,5), (2,6), (3,7) with two lanes each; c1 the same for 8..15.
  const __m512 c0 = _mm512_add_ps(_mm512_shuffle_ps(b[0], b[1], 0x44), _mm512_shuffle_ps(b[0], b[1], 0xee));
  const __m512 c1 = _mm512_add_ps(_mm512_shuffle_ps(b[2], b[3], 0x44), _mm512_shuffle_ps(b[2], b[3], 0xee));
  const __m512 d = _mm512_add_ps(_mm512_shuffle_ps(c0, c1, 0x88), _mm512_shuffle_ps(c0, c1, 0xdd));
  // d lane 4q + j = row q + 4j
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return {_mm512_permutexvar_ps(order, d)};
}

// Writes base + (index of every set bit of m), ascending, to out, which has room for 16; returns how many.
INLINE int list_bits(unsigned m, int base, int* out) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i all = _mm512_add_epi32(lanes, _mm512_set1_epi32(base));
  _mm512_storeu_si512(out, _mm512_maskz_compress_epi32(__mmask16(m), all));
  return __builtin_popcount(m);
}

// a0 b0 c0 a1 b1 c1 ...: 48 floats.
INLINE void interleave(F a, F b, F c, float* out) {
  const __m512i ab0 = _mm512_setr_epi32(0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5);
  const __m512i ab1 = _mm512_setr_epi32(21, 0, 6, 22, 0, 7, 23, 0, 8, 24, 0, 9, 25, 0, 10, 26);
  const __m512i ab2 = _mm512_setr_epi32(0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0);
  const __m512i c0 = _mm512_setr_epi32(0, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0);
  const __m512i c1 = _mm512_setr_epi32(0, 5, 0, 0, 6, 0, 0, 7, 0, 0, 8, 0, 0, 9, 0, 0);
  const __m512i c2 = _mm512_setr_epi32(10, 0, 0, 11, 0, 0, 12, 0, 0, 13, 0, 0, 14, 0, 0, 15);
  _mm512_storeu_ps(out, _mm512_mask_permutexvar_ps(_mm512_permutex2var_ps(a.v, ab0, b.v), 0x4924, c0, c.v));
  _mm512_storeu_ps(out + 16, _mm512_mask_permutexvar_ps(_mm512_permutex2var_ps(a.v, ab1, b.v), 0x2492, c1, c.v));
  _mm512_storeu_ps(out + 32, _mm512_mask_permutexvar_ps(_mm512_permutex2var_ps(a.v, ab2, b.v), 0x9249, c2, c.v));
}

#include "simd_x86_bits.h"
