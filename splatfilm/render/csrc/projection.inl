// From a 3D Gaussian to its ellipse in the picture: EWA splatting (Zwicker et al. 2001), with gsplat's clamp and blur.

struct Gaussians {  // sixteen splats as they are stored
  V3 mean;
  F qw, qx, qy, qz;
  F scale[3];
  F opacity;
};

struct Projected {
  V3 offset;      // from the camera, world axes
  V3 t;           // centre in camera axes
  F inverse_z;
  F norm;         // of the quaternion
  F q[4];         // unit quaternion
  F axes[3][3];   // the splat's unit axes in the world: axes[row][axis]
  V3 arm[3];      // the splat's axes in camera axes, times scale
  F j1, j2;       // fx / z, fy / z
  F gx, gy;       // x/z and y/z, clamped
  F m1[3], m2[3];  // J W R S, 2 x 3
  F minor[3];     // its 2 x 2 minors; their squares sum to the determinant of the projected covariance before the blur
  F a, b, c;      // projected covariance, blurred
  F det0, det;    // before and after the blur
};

INLINE V3 rotate(const float* r, const V3& v) {
  return {fma(splat(r[0]), v.x, fma(splat(r[1]), v.y, splat(r[2]) * v.z)),
          fma(splat(r[3]), v.x, fma(splat(r[4]), v.y, splat(r[5]) * v.z)),
          fma(splat(r[6]), v.x, fma(splat(r[7]), v.y, splat(r[8]) * v.z))};
}

INLINE V3 rotate_back(const float* r, const V3& v) {
  return {fma(splat(r[0]), v.x, fma(splat(r[3]), v.y, splat(r[6]) * v.z)),
          fma(splat(r[1]), v.x, fma(splat(r[4]), v.y, splat(r[7]) * v.z)),
          fma(splat(r[2]), v.x, fma(splat(r[5]), v.y, splat(r[8]) * v.z))};
}

INLINE void to_camera(const V3& mean, const View& view, Projected& p) {
  p.offset = {mean.x - splat(view.position[0]), mean.y - splat(view.position[1]), mean.z - splat(view.position[2])};
  p.t = rotate(view.rotation, p.offset);
}

// Rotation matrix of a unit quaternion wxyz.
INLINE void axes_of(const F (&q)[4], F (&r)[3][3]) {
  const F two = splat(2.0f), one = splat(1.0f);
  const F w = q[0], x = q[1], y = q[2], z = q[3];
  r[0][0] = fnma(two, fma(y, y, z * z), one);
  r[0][1] = two * fnma(w, z, x * y);
  r[0][2] = two * fma(x, z, w * y);
  r[1][0] = two * fma(x, y, w * z);
  r[1][1] = fnma(two, fma(x, x, z * z), one);
  r[1][2] = two * fnma(w, x, y * z);
  r[2][0] = two * fnma(w, y, x * z);
  r[2][1] = two * fma(y, z, w * x);
  r[2][2] = fnma(two, fma(x, x, y * y), one);
}

// A symmetric matrix (xx xy xz yy yz zz) times a vector.
INLINE V3 stretched(const F (&s)[6], const V3& v) {
  return {fma(s[0], v.x, fma(s[1], v.y, s[2] * v.z)), fma(s[1], v.x, fma(s[3], v.y, s[4] * v.z)),
          fma(s[2], v.x, fma(s[4], v.y, s[5] * v.z))};
}

// Everything after `to_camera`. A stretch acts on the unit axes, so that the covariance is V (R S S R^T) V^T and its
// determinant needs no covariance: an identity leaves every bit as it is.
INLINE void project_shape(const Gaussians& g, const View& view, Projected& p, const F (*stretch)[6] = nullptr) {
  const F one = splat(1.0f), blur = splat(kBlur);
  p.norm = sqrt(fma(g.qw, g.qw, fma(g.qx, g.qx, fma(g.qy, g.qy, g.qz * g.qz))));
  const F inverse = one / p.norm;
  p.q[0] = g.qw * inverse;
  p.q[1] = g.qx * inverse;
  p.q[2] = g.qy * inverse;
  p.q[3] = g.qz * inverse;
  axes_of(p.q, p.axes);

  p.inverse_z = one / p.t.z;
  p.j1 = splat(view.fx) * p.inverse_z;
  p.j2 = splat(view.fy) * p.inverse_z;
  p.gx = min(max(p.t.x * p.inverse_z, splat(view.limit_left)), splat(view.limit_right));
  p.gy = min(max(p.t.y * p.inverse_z, splat(view.limit_top)), splat(view.limit_bottom));
  Bent bent;
  if (view.distortion) bent = bend(view, p.gx + splat(view.shift_x), p.gy + splat(view.shift_y));
  UNROLL
  for (int j = 0; j < 3; ++j) {
    V3 axis = {p.axes[0][j], p.axes[1][j], p.axes[2][j]};
    if (stretch) axis = stretched(*stretch, axis);
    const V3 turned = rotate(view.rotation, axis);
    p.arm[j] = {turned.x * g.scale[j], turned.y * g.scale[j], turned.z * g.scale[j]};
    p.m1[j] = p.j1 * fnma(p.gx, p.arm[j].z, p.arm[j].x);
    p.m2[j] = p.j2 * fnma(p.gy, p.arm[j].z, p.arm[j].y);
    if (!view.distortion) continue;
    const F across = p.m1[j] * splat(1.0f / view.fx), up = p.m2[j] * splat(1.0f / view.fy);
    p.m1[j] = splat(view.fx) * fma(bent.xx, across, bent.xy * up);
    p.m2[j] = splat(view.fy) * fma(bent.xy, across, bent.yy * up);
  }
  // Cauchy-Binet: no cancellation, however thin the ellipse.
  p.minor[0] = fnma(p.m1[2], p.m2[1], p.m1[1] * p.m2[2]);
  p.minor[1] = fnma(p.m1[0], p.m2[2], p.m1[2] * p.m2[0]);
  p.minor[2] = fnma(p.m1[1], p.m2[0], p.m1[0] * p.m2[1]);
  p.det0 = fma(p.minor[0], p.minor[0], fma(p.minor[1], p.minor[1], p.minor[2] * p.minor[2]));
  const F a0 = fma(p.m1[0], p.m1[0], fma(p.m1[1], p.m1[1], p.m1[2] * p.m1[2]));
  const F c0 = fma(p.m2[0], p.m2[0], fma(p.m2[1], p.m2[1], p.m2[2] * p.m2[2]));
  p.b = fma(p.m1[0], p.m2[0], fma(p.m1[1], p.m2[1], p.m1[2] * p.m2[2]));
  p.a = a0 + blur;
  p.c = c0 + blur;
  p.det = p.det0 + fma(blur, a0 + c0, splat(kBlur * kBlur));
}
