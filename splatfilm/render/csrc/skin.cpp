#include <algorithm>

#include "kernels.h"
#include "pool.h"
#include "rasteriser.h"

namespace splatfilm {

void skin(const SkinTask& task) {
  constexpr int64_t kRun = 4096;  // splats that one task moves; results do not depend on it
  const Kernels& k = kernels();
  parallel((task.count + kRun - 1) / kRun, [&](int64_t run) {
    k.skin(task, run * kRun, std::min(task.count, (run + 1) * kRun));
  });
}

}  // namespace splatfilm
