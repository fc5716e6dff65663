#include "drape.h"

#include <algorithm>
#include <vector>

#include "pool.h"

namespace splatfilm {
namespace {

// Triangles that one task takes: to wake others for less costs more. Results do not depend on it.
constexpr int64_t kRun = 16384;

}  // namespace

void drape(DrapeTask task) {
  std::vector<float> found(size_t(6 * task.triangle_count));
  task.found = found.data();
  const Kernels& k = kernels();
  parallel((task.triangle_count + kRun - 1) / kRun,
           [&](int64_t run) { k.stretch_triangles(task, run * kRun, std::min(task.triangle_count, (run + 1) * kRun)); });
  for (int64_t i = 0; i < task.count; ++i) std::copy_n(found.data() + 6 * task.triangle[i], 6, task.out + 6 * i);
}

}  // namespace splatfilm
