// The kernels of one instruction set; compiled once for each, with SPLATFILM_ISA and the set's flags.
#include "kernels.h"

#include "constants.h"
#include "simd.h"

namespace splatfilm {
namespace SPLATFILM_ISA {

#include SPLATFILM_SIMD
#include "vectors.inl"
#include "distortion.inl"
#include "projection.inl"
#include "harmonics.inl"
#include "project.inl"
#include "blend.inl"
#include "features.inl"
#include "light.inl"
#include "skin.inl"
#include "falls.inl"
#include "drape.inl"
#include "look.inl"
#include "fall.inl"
#include "sun.inl"
#include "loss.inl"

}  // namespace SPLATFILM_ISA

#define SPLATFILM_JOIN2(a, b) a##b
#define SPLATFILM_JOIN(a, b) SPLATFILM_JOIN2(a, b)
#define SPLATFILM_STRING2(a) #a
#define SPLATFILM_STRING(a) SPLATFILM_STRING2(a)

extern const Kernels SPLATFILM_JOIN(kernels_, SPLATFILM_ISA);
const Kernels SPLATFILM_JOIN(kernels_, SPLATFILM_ISA) = {
    SPLATFILM_STRING(SPLATFILM_ISA),
    SPLATFILM_ISA::project,
    SPLATFILM_ISA::project_backward,
    SPLATFILM_ISA::blend,
    SPLATFILM_ISA::blend_backward,
    SPLATFILM_ISA::blend_features,
    SPLATFILM_ISA::blend_features_backward,
    SPLATFILM_ISA::blend_depths,
    SPLATFILM_ISA::skin,
    SPLATFILM_ISA::look_around,
    SPLATFILM_ISA::look_from_surfaces,
    SPLATFILM_ISA::loss_forward,
    SPLATFILM_ISA::loss_backward,
    SPLATFILM_ISA::add_light,
    SPLATFILM_ISA::to_display,
    SPLATFILM_ISA::light_gains,
    SPLATFILM_ISA::fall_on,
    SPLATFILM_ISA::sun_on,
    SPLATFILM_ISA::stretch_triangles,
    SPLATFILM_ISA::ceiling,
};

}  // namespace splatfilm
