// Sixteen float lanes, whatever the processor's registers are.
//
// `kernels.cpp` is compiled once for each instruction set, with SPLATFILM_ISA naming it. Every set gives the types F
// (sixteen floats) and M (sixteen truth values) and the same functions on them, and every one of those functions gives
// the same bits on every set: each is one IEEE operation a lane, an exact shuffle, or a sum in a fixed tree. That, with
// -ffp-contract=off, is why a frame does not depend on the processor.
//
// Everything lives in a namespace of its own for each set, and nothing here may call inline functions of the standard
// library: the linker would keep one copy, which may use instructions that the processor lacks.
#pragma once

#if defined(_MSC_VER) && !defined(__clang__)
#error "the kernels need GCC or Clang (on Windows: clang-cl)"
#endif
#define INLINE static inline __attribute__((always_inline))
// Before loops over lanes and fields, so that what they index stays in registers.
#if defined(SPLATFILM_SMALL)
#define UNROLL
#elif defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

// Headers that the instruction sets' files need, included here because those files are read inside a namespace.
#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif
