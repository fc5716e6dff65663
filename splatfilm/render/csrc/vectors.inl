// Small vector mathematics on sixteen splats or pixels at a time.

struct V3 {
  F x, y, z;
};

INLINE F dot(const V3& a, const V3& b) { return fma(a.x, b.x, fma(a.y, b.y, a.z * b.z)); }
INLINE V3 operator+(const V3& a, const V3& b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
INLINE V3 cross(const V3& a, const V3& b) {
  return {fnma(a.z, b.y, a.y * b.z), fnma(a.x, b.z, a.z * b.x), fnma(a.y, b.x, a.x * b.y)};
}
INLINE M finite(F a) { return lt(abs(a), splat(3.0e38f)); }

// 2^x, relative error 8e-8 for -126 < x < 127; unspecified outside. Minimax polynomial of degree 5 on [0, 1).
INLINE F exp2(F x) {
  const F f = fraction(x);
  F p = fma(splat(0.00187757676566f), f, splat(0.0089893398766f));
  p = fma(p, f, splat(0.0558263182317f));
  p = fma(p, f, splat(0.240153616983f));
  p = fma(p, f, splat(0.693153073207f));
  p = fma(p, f, splat(0.999999925064f));
  return scale_by_power(p, x);
}

// log2(x) for positive normal x, absolute error 2e-7. 2 atanh(s) / ln 2 with s = (m - 1) / (m + 1).
INLINE F log2(F x) {
  F exponent;
  const F m = split_exponent(x, exponent);
  const F s = (m - splat(1.0f)) / (m + splat(1.0f)), t = s * s;
  F p = fma(splat(0.439083154935f), t, splat(0.576395234772f));
  p = fma(p, t, splat(0.961802200894f));
  p = fma(p, t, splat(2.88539007486f));
  return fma(s, p, exponent);
}

// Columns of sixteen rows of `width` <= 16 floats; rows[i] may be null for an absent row, which reads as zeros.
INLINE void gather(const float* const (&rows)[16], int width, F (&columns)[16]) {
  UNROLL
  for (int i = 0; i < 16; ++i) columns[i] = rows[i] ? load_first(rows[i], width) : splat(0.0f);
  transpose(columns);
}

// The same of sixteen rows of four floats, all of them there.
INLINE void gather_fours(const float* const (&rows)[16], F (&columns)[4]) {
  UNROLL
  for (int i = 0; i < 4; ++i) columns[i] = load_fours(rows[i], rows[i + 4], rows[i + 8], rows[i + 12]);
  transpose_fours(columns);
}

// The reverse of gather_fours, to `count` rows one after the other; `columns` comes back transposed.
INLINE void put_fours(F (&columns)[4], int count, float* rows) {
  float nowhere[4];
  const auto row = [&](int i) { return i < count ? rows + 4 * i : nowhere; };
  transpose_fours(columns);
  UNROLL
  for (int i = 0; i < 4; ++i) store_fours(columns[i], row(i), row(i + 4), row(i + 8), row(i + 12));
}

// The reverse of gather; `columns` comes back transposed.
INLINE void scatter(F (&columns)[16], float* const (&rows)[16], int width) {
  transpose(columns);
  UNROLL
  for (int i = 0; i < 16; ++i)
    if (rows[i]) store_first(rows[i], columns[i], width);
}
