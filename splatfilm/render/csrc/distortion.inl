// What a lens does to the point x/z, y/z that a pinhole sees, after OpenCV's models (calib3d, "Camera Calibration and 3D
// Reconstruction" and its fisheye module): where it goes, and the derivative of that, which is symmetric in both models.

struct Bent {
  F x, y;          // where the point goes
  F xx, xy, yy;    // its derivative by the point
};

// The derivative of (xx, xy, yy) by the point; of four numbers, because both models are gradients of a potential.
struct BentTwice {
  F xxx, xxy, xyy, yyy;
};

// Of a point (x, y) times a factor of r^2, with the factor's first and second derivative by r^2.
INLINE BentTwice radial_twice(F x, F y, F first, F second) {
  const F two = splat(2.0f), four = splat(4.0f), six = splat(6.0f);
  const F xx = four * (x * x) * second, yy = four * (y * y) * second;
  return {x * fma(six, first, xx), y * fma(two, first, xx), x * fma(two, first, yy), y * fma(six, first, yy)};
}

// arctan(x) for x >= 0, relative error 1e-7: minimax polynomial of degree 11 below tan(pi / 8), reduced to there.
INLINE F arctan(F x) {
  const F one = splat(1.0f);
  const M steep = gt(x, one);
  const F a = select(steep, one / x, x);
  const M middle = gt(a, splat(0.41421356237f));
  const F t = select(middle, (a - one) / (a + one), a), z = t * t;
  F p = fma(splat(-0.0603324156f), z, splat(0.105728144f));
  p = fma(p, z, splat(-0.142399829f));
  p = fma(p, z, splat(0.199982108f));
  p = fma(p, z, splat(-0.333333075f));
  p = fma(p, z, splat(0.999999999f)) * t;
  p = select(middle, p + splat(0.78539816340f), p);
  return select(steep, splat(1.57079632679f) - p, p);
}

// (k1, k2, p1, p2, k3, k4, k5, k6): a rational factor of r^2, and what a decentred element adds (Brown 1971).
INLINE Bent bend_brown_conrady(const float* k, F x, F y) {
  const F one = splat(1.0f), two = splat(2.0f);
  const F xx = x * x, yy = y * y, xy = x * y, r2 = xx + yy;
  const F k1 = splat(k[0]), k2 = splat(k[1]), p1 = splat(k[2]), p2 = splat(k[3]);
  const F k3 = splat(k[4]), k4 = splat(k[5]), k5 = splat(k[6]), k6 = splat(k[7]);
  const F over = fma(r2, fma(r2, fma(r2, k3, k2), k1), one), under = fma(r2, fma(r2, fma(r2, k6, k5), k4), one);
  const F d_over = fma(r2, fma(r2, splat(3.0f) * k3, two * k2), k1);
  const F d_under = fma(r2, fma(r2, splat(3.0f) * k6, two * k5), k4);
  const F factor = over / under, slope = fnma(factor, d_under, d_over) / under;  // by r^2
  Bent b;
  b.x = fma(x, factor, fma(two * p1, xy, p2 * fma(two, xx, r2)));
  b.y = fma(y, factor, fma(two * p2, xy, p1 * fma(two, yy, r2)));
  const F six = splat(6.0f);
  b.xx = fma(two * xx, slope, factor) + fma(two * p1, y, six * (p2 * x));
  b.yy = fma(two * yy, slope, factor) + fma(two * p2, x, six * (p1 * y));
  b.xy = fma(two * xy, slope, two * fma(p1, x, p2 * y));
  return b;
}

INLINE BentTwice twice_brown_conrady(const float* k, F x, F y) {
  const F one = splat(1.0f), two = splat(2.0f), three = splat(3.0f), six = splat(6.0f);
  const F r2 = fma(x, x, y * y);
  const F k1 = splat(k[0]), k2 = splat(k[1]), p1 = splat(k[2]), p2 = splat(k[3]);
  const F k3 = splat(k[4]), k4 = splat(k[5]), k5 = splat(k[6]), k6 = splat(k[7]);
  const F over = fma(r2, fma(r2, fma(r2, k3, k2), k1), one), under = fma(r2, fma(r2, fma(r2, k6, k5), k4), one);
  const F d_over = fma(r2, fma(r2, three * k3, two * k2), k1), d_under = fma(r2, fma(r2, three * k6, two * k5), k4);
  const F dd_over = fma(r2, six * k3, two * k2), dd_under = fma(r2, six * k6, two * k5);
  const F factor = over / under, first = fnma(factor, d_under, d_over) / under;
  const F second = fnma(factor, dd_under, fnma(two * first, d_under, dd_over)) / under;
  BentTwice b = radial_twice(x, y, first, second);
  b.xxx = fma(six, p2, b.xxx);
  b.xxy = fma(two, p1, b.xxy);
  b.xyy = fma(two, p2, b.xyy);
  b.yyy = fma(six, p1, b.yyy);
  return b;
}

// (k1, k2, k3, k4): the angle from the axis, times a polynomial, is the radius (Kannala and Brandt 2006).
INLINE Bent bend_kannala_brandt(const float* k, F x, F y) {
  const F one = splat(1.0f);
  const F r2 = max(fma(x, x, y * y), splat(1e-12f)), r = sqrt(r2);
  const F angle = arctan(r), a2 = angle * angle;
  const F k1 = splat(k[0]), k2 = splat(k[1]), k3 = splat(k[2]), k4 = splat(k[3]);
  const F radius = angle * fma(a2, fma(a2, fma(a2, fma(a2, k4, k3), k2), k1), one);
  const F by_angle = fma(a2, fma(a2, fma(a2, fma(a2, splat(9.0f) * k4, splat(7.0f) * k3), splat(5.0f) * k2),
                                 splat(3.0f) * k1), one);
  const F factor = radius / r, slope = (by_angle / (one + r2) - factor) / r2;
  Bent b;
  b.x = x * factor;
  b.y = y * factor;
  b.xx = fma(x * x, slope, factor);
  b.yy = fma(y * y, slope, factor);
  b.xy = x * y * slope;
  return b;
}

// Near the axis, where the derivatives are differences of nearly equal numbers, by their series.
INLINE BentTwice twice_kannala_brandt(const float* k, F x, F y) {
  const F one = splat(1.0f), two = splat(2.0f), three = splat(3.0f), half = splat(0.5f);
  const F r2 = fma(x, x, y * y), safe = max(r2, splat(1e-3f)), r = sqrt(safe);
  const F angle = arctan(r), a2 = angle * angle;
  const F k1 = splat(k[0]), k2 = splat(k[1]), k3 = splat(k[2]), k4 = splat(k[3]);
  const F radius = angle * fma(a2, fma(a2, fma(a2, fma(a2, k4, k3), k2), k1), one);
  const F by_angle = fma(a2, fma(a2, fma(a2, fma(a2, splat(9.0f) * k4, splat(7.0f) * k3), splat(5.0f) * k2),
                                 three * k1), one);
  const F by_angle_twice = angle * fma(a2, fma(a2, fma(a2, splat(72.0f) * k4, splat(42.0f) * k3), splat(20.0f) * k2),
                                       splat(6.0f) * k1);
  const F per = one / (one + safe), factor = radius / r;
  const F slope = fma(by_angle, per, splat(0.0f) - factor) / safe;  // twice the factor's derivative by r^2
  // The derivative of the radius by r, once more by r.
  const F bow = (per * per) * fnma(two * r, by_angle, by_angle_twice);
  const M near = lt(r2, splat(1e-3f));
  const F c1 = k1 - splat(1.0f / 3.0f), c2 = k2 - k1 + splat(0.2f);
  const F first = select(near, fma(two * c2, r2, c1), half * slope);
  const F second = select(near, two * c2, splat(0.25f) * (fnma(three, slope, bow / r) / safe));
  return radial_twice(x, y, first, second);
}

INLINE BentTwice bend_twice(const View& view, F x, F y) {
  return view.distortion == kKannalaBrandt ? twice_kannala_brandt(view.bend, x, y) : twice_brown_conrady(view.bend, x, y);
}

INLINE Bent bend(const View& view, F x, F y) {
  return view.distortion == kKannalaBrandt ? bend_kannala_brandt(view.bend, x, y) : bend_brown_conrady(view.bend, x, y);
}
