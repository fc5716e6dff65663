// How a mesh's triangles are stretched in their planes by the bones that carry their corners.
#pragma once
#include <cstdint>

#include "kernels.h"

namespace splatfilm {

void drape(DrapeTask);

}  // namespace splatfilm
