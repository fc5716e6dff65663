// L1 and SSIM (Wang et al. 2004) between two pictures, with the gradient, as 3D Gaussian Splatting trains with them.
//
// Rows are treated as 3 W interleaved floats; a horizontal tap is then three floats away. Outside the picture is zero.

constexpr int kTaps = 11, kHalf = 5, kMargin = 16;
constexpr int kBlurred = 5;  // x, y, xx, yy, xy

INLINE int64_t row_stride(int width) { return (3 * int64_t(width) + 15) / 16 * 16 + 2 * kMargin; }

INLINE void zero_floats(float* p, int64_t n) { __builtin_memset(p, 0, size_t(n) * sizeof(float)); }

// `in` has a margin of zeros on both sides.
INLINE void blur_row(const float* in, int64_t length, float* out) {
  for (int64_t i = 0; i < length; i += 16) {
    F sum = splat(kSsimWindow[0]) * load(in + kMargin + i - 15);
    for (int k = 1; k < kTaps; ++k) sum = fma(splat(kSsimWindow[k]), load(in + kMargin + i + 3 * (k - kHalf)), sum);
    store(out + i, sum);
  }
}

// Sum over the eleven rows of a ring, of which row `y - 5 + k` lies at ((y - 5 + k + 11) % 11).
INLINE F blur_column(const float* const (&rows)[kTaps], int64_t i) {
  F sum = splat(kSsimWindow[0]) * load(rows[0] + i);
  for (int k = 1; k < kTaps; ++k) sum = fma(splat(kSsimWindow[k]), load(rows[k] + i), sum);
  return sum;
}

INLINE int ring_slot(int y) { return (y + 2 * kTaps) % kTaps; }

// The pixel weights of a row, once a channel; zero beyond its end.
INLINE void expand_weights(const LossTask& t, int y, int64_t stride, float* out) {
  zero_floats(out, stride);
  for (int x = 0; x < t.width; ++x) {
    const float w = t.weight ? t.weight[int64_t(y) * t.width + x] : 1.0f;
    out[3 * x] = out[3 * x + 1] = out[3 * x + 2] = w;
  }
}

INLINE double sum_of(F v) {
  alignas(64) float x[16];
  store(x, v);
  double sum = 0.0;
  for (int i = 0; i < 16; ++i) sum += double(x[i]);
  return sum;
}

static void loss_forward(const LossTask& t, int row_begin, int row_end, float* scratch) {
  const int64_t length = 3 * int64_t(t.width), padded = row_stride(t.width) - 2 * kMargin, stride = row_stride(t.width);
  float* lines = scratch;                          // five rows with margins
  float* ring = scratch + kBlurred * stride;       // eleven times five blurred rows
  float* weights = ring + kTaps * kBlurred * stride;
  zero_floats(lines, kBlurred * stride);
  for (int y = row_begin - kHalf; y < row_end + kHalf; ++y) {
    float* blurred = ring + int64_t(ring_slot(y)) * kBlurred * stride;
    if (y < 0 || y >= t.height) {
      zero_floats(blurred, kBlurred * stride);
    } else {
      const float *a = t.image + int64_t(y) * length, *b = t.target + int64_t(y) * length;
      for (int64_t i = 0; i < length; i += 16) {
        const int n = length - i < 16 ? int(length - i) : 16;
        const F x = load_first(a + i, n), z = load_first(b + i, n);
        store(lines + kMargin + i, x);
        store(lines + stride + kMargin + i, z);
        store(lines + 2 * stride + kMargin + i, x * x);
        store(lines + 3 * stride + kMargin + i, z * z);
        store(lines + 4 * stride + kMargin + i, x * z);
      }
      for (int m = 0; m < kBlurred; ++m) blur_row(lines + m * stride, padded, blurred + m * stride);
    }
    const int row = y - kHalf;
    if (row < row_begin) continue;

    const float* rows[kBlurred][kTaps];
    for (int m = 0; m < kBlurred; ++m)
      for (int k = 0; k < kTaps; ++k)
        rows[m][k] = ring + (int64_t(ring_slot(row - kHalf + k)) * kBlurred + m) * stride;
    expand_weights(t, row, stride, weights);
    const int64_t at = int64_t(row) * t.stride + kMargin, map = int64_t(t.height) * t.stride;
    const F one = splat(1.0f), two = splat(2.0f), c1 = splat(kSsimC1), c2 = splat(kSsimC2);
    F total = splat(0.0f), l1 = splat(0.0f);
    for (int64_t i = 0; i < padded; i += 16) {
      const F mx = blur_column(rows[0], i), my = blur_column(rows[1], i), xx = blur_column(rows[2], i),
              yy = blur_column(rows[3], i), xy = blur_column(rows[4], i);
      const F mxy = mx * my, mxx = mx * mx, myy = my * my;
      const F n1 = fma(two, mxy, c1), n2 = fma(two, xy - mxy, c2);
      const F d1 = mxx + myy + c1, d2 = (xx - mxx) + (yy - myy) + c2;
      const F over = one / (d1 * d2), ssim = n1 * n2 * over, w = load(weights + i);
      // S as a function of E[x], E[xx], E[xy].
      const F d_xx = splat(0.0f) - ssim / d2, d_xy = two * n1 * over;
      const F d_x = two * (my * n2 * over - ssim * mx / d1) - two * mx * d_xx - my * d_xy;
      store(t.maps + at + i, w * d_x);
      store(t.maps + map + at + i, w * d_xx);
      store(t.maps + 2 * map + at + i, w * d_xy);
      total = fma(w, ssim, total);
      const int n = length - i < 16 ? int(length - i) : 16;
      const F difference = load_first(t.image + int64_t(row) * length + i, n) - load_first(t.target + int64_t(row) * length + i, n);
      l1 = fma(w, abs(difference), l1);
    }
    t.row_sums[2 * row] = sum_of(l1);
    t.row_sums[2 * row + 1] = sum_of(total);
  }
}

static void loss_backward(const LossTask& t, int row_begin, int row_end, float* scratch) {
  const int64_t length = 3 * int64_t(t.width), padded = row_stride(t.width) - 2 * kMargin, stride = row_stride(t.width);
  const int64_t map = int64_t(t.height) * t.stride;
  float* ring = scratch;  // eleven times three blurred rows
  float* weights = ring + kTaps * 3 * stride;
  for (int y = row_begin - kHalf; y < row_end + kHalf; ++y) {
    float* blurred = ring + int64_t(ring_slot(y)) * 3 * stride;
    if (y < 0 || y >= t.height)
      zero_floats(blurred, 3 * stride);
    else
      for (int m = 0; m < 3; ++m) blur_row(t.maps + m * map + int64_t(y) * t.stride, padded, blurred + m * stride);
    const int row = y - kHalf;
    if (row < row_begin) continue;

    const float* rows[3][kTaps];
    for (int m = 0; m < 3; ++m)
      for (int k = 0; k < kTaps; ++k) rows[m][k] = ring + (int64_t(ring_slot(row - kHalf + k)) * 3 + m) * stride;
    expand_weights(t, row, stride, weights);
    const F ssim_scale = splat(t.ssim_scale), l1_scale = splat(t.l1_scale), zero = splat(0.0f), two = splat(2.0f);
    for (int64_t i = 0; i < length; i += 16) {
      const int n = length - i < 16 ? int(length - i) : 16;
      const F x = load_first(t.image + int64_t(row) * length + i, n), z = load_first(t.target + int64_t(row) * length + i, n);
      const F g = fma(two * x, blur_column(rows[1], i), fma(z, blur_column(rows[2], i), blur_column(rows[0], i)));
      const F difference = x - z, scale = l1_scale * load(weights + i);
      const F sign = select(gt(difference, zero), scale, select(lt(difference, zero), zero - scale, zero));
      store_first(t.gradient + int64_t(row) * length + i, fma(ssim_scale, g, sign), n);
    }
  }
}
