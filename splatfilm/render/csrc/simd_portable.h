// Sixteen floats as an array: any processor, correct to the same bits, slow. See simd.h for the contract.
#pragma once

struct F {
  float x[16];
};
struct M {
  uint32_t x[16];  // 0 or 1
};

#define EACH(expression)                              \
  do {                                                \
    for (int i = 0; i < 16; ++i) r.x[i] = expression; \
    return r;                                         \
  } while (0)

INLINE F splat(float a) { F r; EACH(a); }
INLINE F load(const float* p) { F r; EACH(p[i]); }
INLINE F load_first(const float* p, int n) { F r; EACH(i < n ? p[i] : 0.0f); }
INLINE void store(float* p, F a) { std::memcpy(p, a.x, sizeof a.x); }
INLINE void store_first(float* p, F a, int n) { std::memcpy(p, a.x, sizeof(float) * unsigned(n)); }

INLINE F operator+(F a, F b) { F r; EACH(a.x[i] + b.x[i]); }
INLINE F operator-(F a, F b) { F r; EACH(a.x[i] - b.x[i]); }
INLINE F operator*(F a, F b) { F r; EACH(a.x[i] * b.x[i]); }
INLINE F operator/(F a, F b) { F r; EACH(a.x[i] / b.x[i]); }
INLINE F fma(F a, F b, F c) { F r; EACH(__builtin_fmaf(a.x[i], b.x[i], c.x[i])); }
INLINE F fnma(F a, F b, F c) { F r; EACH(__builtin_fmaf(-a.x[i], b.x[i], c.x[i])); }
INLINE F sqrt(F a) { F r; EACH(__builtin_sqrtf(a.x[i])); }
INLINE F min(F a, F b) { F r; EACH(a.x[i] < b.x[i] ? a.x[i] : b.x[i]); }
INLINE F max(F a, F b) { F r; EACH(a.x[i] > b.x[i] ? a.x[i] : b.x[i]); }
INLINE F abs(F a) { F r; EACH(__builtin_fabsf(a.x[i])); }

INLINE M lt(F a, F b) { M r; EACH(a.x[i] < b.x[i]); }
INLINE M le(F a, F b) { M r; EACH(a.x[i] <= b.x[i]); }
INLINE M gt(F a, F b) { M r; EACH(a.x[i] > b.x[i]); }
INLINE M ge(F a, F b) { M r; EACH(a.x[i] >= b.x[i]); }
INLINE M operator&(M a, M b) { M r; EACH(a.x[i] & b.x[i]); }
INLINE M ge_where(M m, F a, F b) { return m & ge(a, b); }
INLINE M gt_where(M m, F a, F b) { return m & gt(a, b); }
INLINE M le_where(M m, F a, F b) { return m & le(a, b); }
INLINE unsigned bits(M m) {
  unsigned b = 0;
  for (int i = 0; i < 16; ++i) b |= m.x[i] << i;
  return b;
}
INLINE M mask_of(unsigned b) { M r; EACH(b >> i & 1u); }
INLINE F select(M m, F a, F b) { F r; EACH(m.x[i] ? a.x[i] : b.x[i]); }
INLINE F zero_unless(M m, F a) { F r; EACH(m.x[i] ? a.x[i] : 0.0f); }
INLINE F fma_where(M m, F a, F b, F c) { return select(m, fma(a, b, c), c); }

INLINE F fraction(F a) { F r; EACH(a.x[i] - __builtin_floorf(a.x[i])); }
INLINE float with_exponent(float a, float power) {
  const float floored = __builtin_floorf(power);
  const int32_t n = floored > -1000.0f && floored < 1000.0f ? int32_t(floored) : 0;
  uint32_t i;
  std::memcpy(&i, &a, 4);
  i += uint32_t(n) << 23;
  std::memcpy(&a, &i, 4);
  return a;
}
INLINE F scale_by_power(F a, F p) { F r; EACH(with_exponent(a.x[i], p.x[i])); }
INLINE F split_exponent(F a, F& exponent) {
  F r;
  for (int k = 0; k < 16; ++k) {
    int32_t i;
    std::memcpy(&i, &a.x[k], 4);
    const int32_t e = (i - 0x3f400000) >> 23;
    exponent.x[k] = float(e);
    i -= int32_t(uint32_t(e) << 23);
    std::memcpy(&r.x[k], &i, 4);
  }
  return r;
}

INLINE F load_bytes(const uint8_t* p) { F r; EACH(float(p[i])); }
INLINE F look_up(const int32_t* table, M m, F x, F y, F z, int row, int plane) {
  F r;
  EACH(m.x[i] ? float(table[int(z.x[i]) * plane + int(y.x[i]) * row + int(x.x[i])]) : 0.0f);
}

// Four floats each of four rows, and back.
INLINE F load_fours(const float* a, const float* b, const float* c, const float* d) {
  const float* rows[4] = {a, b, c, d};
  F r;
  EACH(rows[i / 4][i % 4]);
}
INLINE void store_fours(F v, float* a, float* b, float* c, float* d) {
  float* rows[4] = {a, b, c, d};
  for (int i = 0; i < 16; ++i) rows[i / 4][i % 4] = v.x[i];
}
// Transposes each of four blocks of four by four.
INLINE void transpose_fours(F (&r)[4]) {
  for (int block = 0; block < 16; block += 4)
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < i; ++j) {
        const float t = r[i].x[block + j];
        r[i].x[block + j] = r[j].x[block + i];
        r[j].x[block + i] = t;
      }
}

INLINE void transpose(F (&r)[16]) {
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < i; ++j) {
      const float t = r[i].x[j];
      r[i].x[j] = r[j].x[i];
      r[j].x[i] = t;
    }
}
template <int N>
INLINE F sum_lanes(const F (&v)[N]) {
  F r;
  for (int i = 0; i < 16; ++i) {
    float t[16];
    for (int k = 0; k < 16; ++k) t[k] = i < N ? v[i < N ? i : 0].x[k] : 0.0f;
    for (int half = 8; half >= 1; half /= 2)
      for (int k = 0; k < half; ++k) t[k] = t[k] + t[k + half];
    r.x[i] = t[0];
  }
  return r;
}
INLINE int list_bits(unsigned m, int base, int* out) {
  int n = 0;
  for (int i = 0; i < 16; ++i)
    if (m >> i & 1u) out[n++] = base + i;
  return n;
}
INLINE void interleave(F a, F b, F c, float* out) {
  float t[3][16];
  store(t[0], a);
  store(t[1], b);
  store(t[2], c);
  for (int i = 0; i < 16; ++i)
    for (int k = 0; k < 3; ++k) out[3 * i + k] = t[k][i];
}
INLINE void transpose_bits(const uint16_t* in, uint16_t* out) {
  for (int i = 0; i < 16; ++i) {
    unsigned b = 0;
    for (int j = 0; j < 16; ++j) b |= unsigned(in[j] >> i & 1) << j;
    out[i] = uint16_t(b);
  }
}
#undef EACH
