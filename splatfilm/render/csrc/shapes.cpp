#include "shapes.h"

#include <algorithm>
#include <cmath>

namespace splatfilm {
namespace {

constexpr double kFlat = 1e-14;       // determinant of a frame below which a triangle has no area
constexpr double kAtRest = 1e-9;      // a gradient that is no further from the identity moves nothing
constexpr double kSettled = 1e-9;     // Newton's iteration converges quadratically: the next step is rounding
constexpr double kCollapsed = 1e-6;   // of the size cubed: a determinant below which eigenvectors say what the rotation is
constexpr int kNewtonSteps = 24, kSweeps = 12;

using M = double[3][3];

void cofactors(const M& a, M& c) {
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {
      const int i1 = (i + 1) % 3, i2 = (i + 2) % 3, j1 = (j + 1) % 3, j2 = (j + 2) % 3;
      c[i][j] = a[i1][j1] * a[i2][j2] - a[i1][j2] * a[i2][j1];
    }
}

double size2(const M& a) {
  double sum = 0;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) sum += a[i][j] * a[i][j];
  return sum;
}

void product(const M& a, const M& b, M& out) {
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) out[i][j] = a[i][0] * b[0][j] + a[i][1] * b[1][j] + a[i][2] * b[2][j];
}

void product_transposed(const M& a, const M& b, M& out) {  // a b^T
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) out[i][j] = a[i][0] * b[j][0] + a[i][1] * b[j][1] + a[i][2] * b[j][2];
}

// Eigenvectors of a symmetric matrix in the columns of `axes`, by Jacobi's rotations.
void eigen(const M& symmetric, double (&factors)[3], M& axes) {
  M a;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) a[i][j] = symmetric[i][j], axes[i][j] = i == j;
  for (int sweep = 0; sweep < kSweeps; ++sweep)
    for (int p = 0; p < 2; ++p)
      for (int q = p + 1; q < 3; ++q) {
        if (a[p][q] == 0) continue;
        const double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        const double t = (theta < 0 ? -1 : 1) / (std::fabs(theta) + std::sqrt(theta * theta + 1));
        const double c = 1 / std::sqrt(t * t + 1), s = t * c;
        for (int k = 0; k < 3; ++k) {
          const double x = a[k][p], y = a[k][q];
          a[k][p] = c * x - s * y, a[k][q] = s * x + c * y;
        }
        for (int k = 0; k < 3; ++k) {
          const double x = a[p][k], y = a[q][k];
          a[p][k] = c * x - s * y, a[q][k] = s * x + c * y;
        }
        a[p][q] = a[q][p] = 0;
        for (int k = 0; k < 3; ++k) {
          const double x = axes[k][p], y = axes[k][q];
          axes[k][p] = c * x - s * y, axes[k][q] = s * x + c * y;
        }
      }
  for (int k = 0; k < 3; ++k) factors[k] = a[k][k];
}

// The rotation of a matrix that is singular or turned inside out.
void rotation_by_eigenvectors(const M& f, M& r) {
  M square, axes, w, u;
  double factors[3];
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) square[i][j] = f[0][i] * f[0][j] + f[1][i] * f[1][j] + f[2][i] * f[2][j];
  eigen(square, factors, axes);
  int order[3] = {0, 1, 2};
  std::sort(order, order + 3, [&](int a, int b) { return factors[a] > factors[b]; });
  for (int k = 0; k < 2; ++k) {
    double length = 0, along = 0;
    for (int i = 0; i < 3; ++i) {
      w[k][i] = axes[i][order[k]];
      u[k][i] = f[i][0] * axes[0][order[k]] + f[i][1] * axes[1][order[k]] + f[i][2] * axes[2][order[k]];
    }
    for (int i = 0; k && i < 3; ++i) along += u[0][i] * u[1][i];
    for (int i = 0; i < 3; ++i) {
      if (k) u[1][i] -= along * u[0][i];
      length += u[k][i] * u[k][i];
    }
    if (!(length > 1e-30)) {  // a line or a point: any rotation that keeps it is as good
      for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 3; ++j) r[i][j] = i == j;
      return;
    }
    for (int i = 0; i < 3; ++i) u[k][i] /= std::sqrt(length);
  }
  for (int i = 0; i < 3; ++i) {
    const int a = (i + 1) % 3, b = (i + 2) % 3;
    w[2][i] = w[0][a] * w[1][b] - w[0][b] * w[1][a];
    u[2][i] = u[0][a] * u[1][b] - u[0][b] * u[1][a];
  }
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) r[i][j] = u[0][i] * w[0][j] + u[1][i] * w[1][j] + u[2][i] * w[2][j];
}

// F = V R: N. Higham, "Computing the polar decomposition - with applications", SIAM J. Sci. Stat. Comput. 7, 1986.
void polar(const M& f, M& r, M& v) {
  M c;
  cofactors(f, c);
  const double first = f[0][0] * c[0][0] + f[0][1] * c[0][1] + f[0][2] * c[0][2];
  const double size = std::sqrt(size2(f) / 3);
  if (!(first > kCollapsed * size * size * size)) {
    rotation_by_eigenvectors(f, r);
  } else {
    std::copy(&f[0][0], &f[0][0] + 9, &r[0][0]);
    for (int step = 0; step < kNewtonSteps; ++step) {
      cofactors(r, c);
      const double det = r[0][0] * c[0][0] + r[0][1] * c[0][1] + r[0][2] * c[0][2];
      const double scale = step < 4 ? std::sqrt(std::sqrt(size2(c) / size2(r)) / std::fabs(det)) : 1;
      double change = 0;
      for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 3; ++j) {
          const double next = 0.5 * (scale * r[i][j] + c[i][j] / (scale * det));
          change = std::max(change, std::fabs(next - r[i][j]));
          r[i][j] = next;
        }
      if (change <= kSettled) break;
    }
  }
  M whole;
  product_transposed(f, r, whole);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) v[i][j] = 0.5 * (whole[i][j] + whole[j][i]);
}

// No factor of a stretch beyond `most` or its inverse. A factor differs from 1 by at most the distance from the identity.
void limit(M& v, double most) {
  M from;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) from[i][j] = v[i][j] - (i == j);
  if (size2(from) <= (1 - 1 / most) * (1 - 1 / most)) return;
  double factors[3];
  M axes;
  eigen(v, factors, axes);
  bool within = true;
  for (double& factor : factors) {
    const double kept = std::max(1 / most, std::min(most, factor));
    within &= kept == factor;
    factor = kept;
  }
  if (within) return;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      v[i][j] = axes[i][0] * factors[0] * axes[j][0] + axes[i][1] * factors[1] * axes[j][1] + axes[i][2] * factors[2] * axes[j][2];
}

// By the largest component (S. Sheppard 1978), w >= 0.
void quaternion(const M& m, double* q) {
  const double trace = m[0][0] + m[1][1] + m[2][2];
  const double squares[4] = {1 + trace, 1 + 2 * m[0][0] - trace, 1 + 2 * m[1][1] - trace, 1 + 2 * m[2][2] - trace};
  const double wx = m[2][1] - m[1][2], wy = m[0][2] - m[2][0], wz = m[1][0] - m[0][1];
  const double xy = m[1][0] + m[0][1], xz = m[0][2] + m[2][0], yz = m[2][1] + m[1][2];
  const double table[4][4] = {{squares[0], wx, wy, wz}, {wx, squares[1], xy, xz}, {wy, xy, squares[2], yz}, {wz, xz, yz, squares[3]}};
  int best = 0;
  for (int k = 1; k < 4; ++k)
    if (squares[k] > squares[best]) best = k;
  double length = 0;
  for (int k = 0; k < 4; ++k) length += table[best][k] * table[best][k];
  length = std::sqrt(length) * (table[best][0] < 0 ? -1 : 1);
  for (int k = 0; k < 4; ++k) q[k] = table[best][k] / length;
}

// Two edges and the unit normal as columns; a triangle without area gets the axes of space, so it never shears.
void frame_of(const double (&corners)[3][3], M& frame) {
  double a[3], b[3], n[3];
  for (int k = 0; k < 3; ++k) a[k] = corners[1][k] - corners[0][k], b[k] = corners[2][k] - corners[0][k];
  for (int k = 0; k < 3; ++k) n[k] = a[(k + 1) % 3] * b[(k + 2) % 3] - a[(k + 2) % 3] * b[(k + 1) % 3];
  const double area = std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);  // also the frame's determinant
  for (int k = 0; k < 3; ++k) {
    frame[k][0] = area < kFlat ? k == 0 : a[k];
    frame[k][1] = area < kFlat ? k == 1 : b[k];
    frame[k][2] = area < kFlat ? k == 2 : n[k] / area;
  }
}

struct Triangle {
  bool stirred;
  double corners[3][3];
  M gradient;
  double turn[4], stretch[6];
};

void move(const CageTask& task, const std::vector<uint8_t>& stirred, int64_t number, Triangle& t) {
  const int64_t* held = task.triangles + 3 * number;
  t.stirred = stirred[size_t(held[0])] || stirred[size_t(held[1])] || stirred[size_t(held[2])];
  if (!t.stirred) return;
  for (int c = 0; c < 3; ++c)
    for (int k = 0; k < 3; ++k) t.corners[c][k] = task.vertices[3 * held[c] + k] + task.offsets[3 * held[c] + k];
  M frame, inverse, r, v;
  frame_of(t.corners, frame);
  std::copy(task.inverse_frames + 9 * number, task.inverse_frames + 9 * number + 9, &inverse[0][0]);
  product(frame, inverse, t.gradient);
  double far = 0;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) far = std::max(far, std::fabs(t.gradient[i][j] - (i == j)));
  if (far <= kAtRest) {
    const double turn[4] = {1, 0, 0, 0}, stretch[6] = {1, 0, 0, 1, 0, 1};
    std::copy(turn, turn + 4, t.turn);
    std::copy(stretch, stretch + 6, t.stretch);
    return;
  }
  polar(t.gradient, r, v);
  limit(v, task.most);
  quaternion(r, t.turn);
  const double stretch[6] = {v[0][0], v[0][1], v[0][2], v[1][1], v[1][2], v[2][2]};
  std::copy(stretch, stretch + 6, t.stretch);
}

void hamilton(const double* a, const double* b, double* out) {
  const double result[4] = {a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3], a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
                            a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1], a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0]};
  std::copy(result, result + 4, out);
}

}  // namespace

Shaped shape(const CageTask& task) {
  std::vector<uint8_t> stirred(size_t(task.vertex_count));
  for (int64_t v = 0; v < task.vertex_count; ++v)
    stirred[size_t(v)] = task.offsets[3 * v] != 0 || task.offsets[3 * v + 1] != 0 || task.offsets[3 * v + 2] != 0;
  std::vector<Triangle> triangles(size_t(task.triangle_count));
  for (int64_t i = 0; i < task.triangle_count; ++i) move(task, stirred, i, triangles[size_t(i)]);
  Shaped shaped;
  for (int64_t i = 0; i < task.count; ++i) {
    const Triangle& t = triangles[size_t(task.triangle[i])];
    if (!t.stirred) continue;
    const double *point = task.points + 3 * i, *away = task.away + 3 * i;
    for (int k = 0; k < 3; ++k) {
      double at = point[0] * t.corners[0][k] + point[1] * t.corners[1][k] + point[2] * t.corners[2][k];
      at += t.gradient[k][0] * away[0] + t.gradient[k][1] * away[1] + t.gradient[k][2] * away[2];
      task.means[3 * task.rows[i] + k] = float(at);
    }
    shaped.rows.push_back(task.rows[i]);
    shaped.turns.insert(shaped.turns.end(), t.turn, t.turn + 4);
    shaped.stretches.insert(shaped.stretches.end(), t.stretch, t.stretch + 6);
  }
  return shaped;
}

void put_shapes(const int64_t* rows, const double* turns, const double* stretches, int64_t count, float* quats,
                float* bone_turns, float* out_stretches) {
  for (int64_t i = 0; i < count; ++i) {
    float *quat = quats + 4 * rows[i], *turn = bone_turns + 4 * rows[i], *out = out_stretches + 6 * rows[i];
    const double b[4] = {turn[0], turn[1], turn[2], turn[3]}, back[4] = {b[0], -b[1], -b[2], -b[3]};
    double both[4], whole[4];
    hamilton(b, turns + 4 * i, both);
    hamilton(both, back, whole);  // the bones' quaternion is undone, the shape's put in, and the bones' put back
    const double before[4] = {quat[0], quat[1], quat[2], quat[3]};
    hamilton(whole, before, whole);
    const double w = b[0], x = b[1], y = b[2], z = b[3], *s = stretches + 6 * i;
    const M r = {{1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)},
                 {2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)},
                 {2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)}};
    const M v = {{s[0], s[1], s[2]}, {s[1], s[3], s[4]}, {s[2], s[4], s[5]}};
    M half, world;
    product(r, v, half);
    product_transposed(half, r, world);
    for (int k = 0; k < 4; ++k) turn[k] = float(both[k]), quat[k] = float(whole[k]);
    const double packed[6] = {world[0][0], world[0][1], world[0][2], world[1][1], world[1][2], world[2][2]};
    for (int k = 0; k < 6; ++k) out[k] = float(packed[k]);
  }
}

}  // namespace splatfilm
