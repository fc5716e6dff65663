#include <algorithm>

#include "kernels.h"
#include "pool.h"
#include "rasteriser.h"

namespace splatfilm {

void skin(const SkinTask& task) {
  // Splats that one task moves: to wake others for less costs more. Results do not depend on it.
  constexpr int64_t kRun = 16384;
  const Kernels& k = kernels();
  parallel((task.count + kRun - 1) / kRun, [&](int64_t run) {
    k.skin(task, run * kRun, std::min(task.count, (run + 1) * kRun));
  });
}

}  // namespace splatfilm
