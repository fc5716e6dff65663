// Which instruction set to use. Asked of the processor by hand: compilers' built-in checks differ and some need a runtime.
#include <atomic>
#include <cstdint>
#include <cstring>
#include <initializer_list>

#include "kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace splatfilm {
namespace {

#if defined(__x86_64__)
uint64_t saved_registers() {  // XCR0: which registers the operating system keeps across a task switch
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

struct Features {
  bool avx2 = false, avx512 = false;
};

Features features() {
  Features f;
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return f;
  const bool osxsave = c >> 27 & 1, avx = c >> 28 & 1, fma = c >> 12 & 1, popcnt = c >> 23 & 1;
  if (!(osxsave && avx && fma && popcnt) || (saved_registers() & 0x6) != 0x6) return f;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return f;
  f.avx2 = (b >> 5 & 1) && (b >> 3 & 1) && (b >> 8 & 1);  // AVX2, BMI1, BMI2
  f.avx512 = f.avx2 && (b >> 16 & 1) && (b >> 17 & 1) && (b >> 30 & 1) && (b >> 31 & 1) &&  // F, DQ, BW, VL
             (saved_registers() & 0xe6) == 0xe6;
  return f;
}
#endif

const Kernels* find(const char* name) {
#if defined(__x86_64__)
  static const Features has = features();
  if (!std::strcmp(name, "avx512")) return has.avx512 ? &kernels_avx512 : nullptr;
  if (!std::strcmp(name, "avx2")) return has.avx2 ? &kernels_avx2 : nullptr;
#elif defined(__aarch64__)
  if (!std::strcmp(name, "neon")) return &kernels_neon;
#endif
  return !std::strcmp(name, "portable") ? &kernels_portable : nullptr;
}

const Kernels* best() {
  for (const char* name : {"avx512", "avx2", "neon"})
    if (const Kernels* found = find(name)) return found;
  return &kernels_portable;
}

std::atomic<const Kernels*> chosen{nullptr};

}  // namespace

const Kernels& kernels() {
  const Kernels* current = chosen.load(std::memory_order_relaxed);
  if (!current) chosen.store(current = best(), std::memory_order_relaxed);
  return *current;
}

bool choose_kernels(const char* name) {
  const Kernels* found = *name ? find(name) : best();
  if (found) chosen.store(found, std::memory_order_relaxed);
  return found != nullptr;
}

bool kernels_available(const char* name) { return find(name) != nullptr; }

}  // namespace splatfilm
