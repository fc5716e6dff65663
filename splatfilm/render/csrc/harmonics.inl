// Real spherical harmonics to degree 3, in the order and with the signs of 3D Gaussian Splatting (Sloan 2008).

constexpr float kC0 = kShC0, kC1 = 0.4886025119029199f;
constexpr float kC2[5] = {1.0925484305920792f, -1.0925484305920792f, 0.31539156525252005f, -1.0925484305920792f,
                          0.5462742152960396f};
constexpr float kC3[7] = {-0.5900435899266435f, 2.890611442640554f, -0.4570457994644658f, 0.3731763325901154f,
                          -0.4570457994644658f, 1.445305721320277f, -0.5900435899266435f};

// basis[k] for the unit direction d, zero above `degree` <= 3.
INLINE void harmonics(const V3& d, int degree, F (&basis)[16]) {
  const F x = d.x, y = d.y, z = d.z;
  basis[0] = splat(kC0);
  UNROLL
  for (int k = 1; k < 16; ++k) basis[k] = splat(0.0f);
  if (degree < 1) return;
  basis[1] = splat(-kC1) * y;
  basis[2] = splat(kC1) * z;
  basis[3] = splat(-kC1) * x;
  if (degree < 2) return;
  const F xx = x * x, yy = y * y, zz = z * z, xy = x * y;
  basis[4] = splat(kC2[0]) * xy;
  basis[5] = splat(kC2[1]) * (y * z);
  basis[6] = splat(kC2[2]) * ((zz + zz) - xx - yy);
  basis[7] = splat(kC2[3]) * (x * z);
  basis[8] = splat(kC2[4]) * (xx - yy);
  if (degree < 3) return;
  const F four_zz = splat(4.0f) * zz - xx - yy;
  basis[9] = splat(kC3[0]) * y * (splat(3.0f) * xx - yy);
  basis[10] = splat(kC3[1]) * xy * z;
  basis[11] = splat(kC3[2]) * y * four_zz;
  basis[12] = splat(kC3[3]) * z * ((zz + zz) - splat(3.0f) * xx - splat(3.0f) * yy);
  basis[13] = splat(kC3[4]) * x * four_zz;
  basis[14] = splat(kC3[5]) * z * (xx - yy);
  basis[15] = splat(kC3[6]) * x * (xx - splat(3.0f) * yy);
}

// dL/d(direction) from dL/d(basis[k]).
INLINE V3 harmonics_backward(const V3& d, int degree, const F (&g)[16]) {
  const F x = d.x, y = d.y, z = d.z;
  V3 r = {splat(0.0f), splat(0.0f), splat(0.0f)};
  if (degree < 1) return r;
  r.x = splat(-kC1) * g[3];
  r.y = splat(-kC1) * g[1];
  r.z = splat(kC1) * g[2];
  if (degree < 2) return r;
  const F two = splat(2.0f);
  const F g4 = splat(kC2[0]) * g[4], g5 = splat(kC2[1]) * g[5], g6 = splat(kC2[2]) * g[6], g7 = splat(kC2[3]) * g[7],
          g8 = splat(kC2[4]) * g[8];
  r.x = r.x + fma(y, g4, fma(z, g7, two * (x * (g8 - g6))));
  r.y = r.y + (fma(x, g4, z * g5) - two * (y * (g6 + g8)));
  r.z = r.z + fma(y, g5, fma(x, g7, splat(4.0f) * (z * g6)));
  if (degree < 3) return r;
  const F xx = x * x, yy = y * y, zz = z * z, xy = x * y, xz = x * z, yz = y * z;
  const F three = splat(3.0f), six = splat(6.0f), eight = splat(8.0f);
  const F g9 = splat(kC3[0]) * g[9], g10 = splat(kC3[1]) * g[10], g11 = splat(kC3[2]) * g[11],
          g12 = splat(kC3[3]) * g[12], g13 = splat(kC3[4]) * g[13], g14 = splat(kC3[5]) * g[14],
          g15 = splat(kC3[6]) * g[15];
  const F four_zz = splat(4.0f) * zz;
  // basis 9: y (3xx - yy)    10: xyz    11: y (4zz - xx - yy)    12: z (2zz - 3xx - 3yy)
  // basis 13: x (4zz - xx - yy)    14: z (xx - yy)    15: x (xx - 3yy)
  r.x = r.x + (fma(six * xy, g9, yz * g10) - fma(two * xy, g11, six * (xz * g12)) +
               fma(four_zz - three * xx - yy, g13, fma(two * xz, g14, three * (xx - yy) * g15)));
  r.y = r.y + (fma(three * (xx - yy), g9, xz * g10) + (four_zz - xx - three * yy) * g11 -
               fma(six * yz, g12, fma(two * xy, g13, fma(two * yz, g14, six * (xy * g15)))));
  r.z = r.z + (fma(xy, g10, fma(eight * yz, g11, splat(6.0f) * zz * g12)) - three * ((xx + yy) * g12) +
               fma(eight * xz, g13, (xx - yy) * g14));
  return r;
}
