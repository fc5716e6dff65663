#include "drape.h"

#include <algorithm>
#include <vector>

#include "pool.h"

namespace splatfilm {
namespace {

constexpr int64_t kRun = 4096;  // triangles that one task takes; results do not depend on it

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
