#include "cones.h"

#include <algorithm>
#include <cmath>

#include "lattice.h"

namespace splatfilm {
namespace {

constexpr double kFirst = 1.0;       // cells: what is nearer than this is the surface itself
constexpr double kOwnSurface = 2.5;  // cells: from here on the set may stand between a splat of its own and the cast
constexpr double kUndecided = 2e-3;  // cells
constexpr double kRatio = 1.45;      // of one step along a cone to the one before

// Away from the middle between two cells, so that rounding never says in which of them a lattice point's step ends.
float decided(double x) {
  const double past = x + 0.5 - std::floor(x + 0.5);
  return float(past < kUndecided ? x + kUndecided : past > 1 - kUndecided ? x - kUndecided : x);
}

}  // namespace

Cones::Cones(double reach) {
  const double g = (1 + std::sqrt(5.0)) / 2, n = 1 / std::sqrt(3.0);
  int k = 0;
  const auto put = [&](double x, double y, double z) {
    axes[k][0] = float(x), axes[k][1] = float(y), axes[k][2] = float(z);
    ++k;
  };
  for (int i = 0; i < 4; ++i) put(n, i & 1 ? -n : n, i & 2 ? -n : n);
  for (int i = 0; i < 2; ++i) {
    const double s = (i ? -g : g) * n, t = n / g;
    put(0, t, s);
    put(t, s, 0);
    put(s, 0, t);
  }
  double begin = kFirst;
  for (count = 0; begin < reach && count < kMostSteps; ++count) {
    const double end = std::min(begin * kRatio + 0.3, reach), t = 0.5 * (begin + end), left = 1 - t / reach;
    const int width = t < 2.2 ? 0 : t < 4.5 ? 1 : t < 9 ? 2 : 3;
    for (k = 0; k < kCones; ++k) {
      const double far = k & 1 ? -t : t;
      const float* d = axes[k / 2];
      steps[k][count] = {decided(d[0] * far), decided(d[1] * far), decided(d[2] * far), float(end - begin) * kUnit,
                         float(left * (2 - left)), width, t > kOwnSurface};
    }
    begin = end;
  }
  stride = count <= 8 ? 8 : count <= 16 ? 16 : 32;
  for (k = 0; k < kCones; ++k)
    for (int t = 0; t < stride; ++t) {
      const ConeStep step = t < count ? steps[k][t] : ConeStep{};
      along[0][k * stride + t] = step.x, along[1][k * stride + t] = step.y, along[2][k * stride + t] = step.z;
      narrower[k * stride + t] = t < count ? float(kBlurs - step.width) : float(kBlurs + 1);
    }
  for (k = 0; k < kCones; ++k)
    for (int axis = 0; axis < 3; ++axis) {
      const float along = k & 1 ? -axes[k / 2][axis] : axes[k / 2][axis];
      ahead[axis][along < 0] |= uint32_t(std::fabs(along) > 1e-6f) << k;
    }
}

}  // namespace splatfilm
