#include <algorithm>
#include <vector>

#include "kernels.h"
#include "pool.h"
#include "rasteriser.h"

namespace splatfilm {
namespace {

constexpr int kBand = 32;  // rows that one task handles; a fixed number, though results do not depend on it

int64_t stride_of(int width) { return (3 * int64_t(width) + 15) / 16 * 16 + 32; }

}  // namespace

int64_t loss_scratch(int width) { return (5 + 11 * 5 + 1) * stride_of(width); }

// Sums over rows are kept a row each and added in order, so the value is the same at any thread count.
LossValues l1_ssim(const float* image, const float* target, const float* weight, int height, int width, double lambda,
                   float* gradient) {
  const int64_t pixels = int64_t(height) * width, bands = (height + kBand - 1) / kBand;
  double total_weight = double(pixels);
  if (weight) {
    total_weight = 0.0;
    for (int64_t i = 0; i < pixels; ++i) total_weight += double(weight[i]);
  }
  if (!(total_weight > 0.0)) {
    std::fill_n(gradient, 3 * pixels, 0.0f);
    return {0.0, 0.0, 1.0};
  }
  const double per_value = 1.0 / (3.0 * total_weight);

  thread_local Buffer<float> maps;
  thread_local std::vector<double> row_sums;
  row_sums.assign(2 * size_t(height), 0.0);
  LossTask task{image,  target,          weight, height, width, float(-lambda * per_value), float((1.0 - lambda) * per_value),
                maps.ensure(3 * int64_t(height) * stride_of(width)), stride_of(width), row_sums.data(), gradient};
  // The margins of the maps' rows must read as zeros.
  const Kernels& k = kernels();
  parallel(bands, [&](int64_t band) {
    thread_local Buffer<float> scratch;
    const int begin = int(band) * kBand, end = std::min(height, begin + kBand);
    for (int m = 0; m < 3; ++m)
      for (int y = begin; y < end; ++y) {
        float* row = task.maps + (int64_t(m) * height + y) * task.stride;
        std::fill_n(row, 16, 0.0f);
        std::fill_n(row + task.stride - 16, 16, 0.0f);
      }
    k.loss_forward(task, begin, end, scratch.ensure(loss_scratch(width)));
  });
  parallel(bands, [&](int64_t band) {
    thread_local Buffer<float> scratch;
    const int begin = int(band) * kBand, end = std::min(height, begin + kBand);
    k.loss_backward(task, begin, end, scratch.ensure(loss_scratch(width)));
  });
  double l1 = 0.0, ssim = 0.0;
  for (int y = 0; y < height; ++y) {
    l1 += row_sums[2 * size_t(y)];
    ssim += row_sums[2 * size_t(y) + 1];
  }
  l1 *= per_value;
  ssim *= per_value;
  return {(1.0 - lambda) * l1 + lambda * (1.0 - ssim), l1, ssim};
}

}  // namespace splatfilm
