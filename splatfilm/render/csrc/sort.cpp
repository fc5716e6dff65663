#include "sort.h"

#include <algorithm>

#include "pool.h"

namespace splatfilm {
namespace {

constexpr int64_t kSortRun = 16384;  // keys that one task handles
constexpr int kDigitBits = 11, kDigits = 1 << kDigitBits;

}  // namespace

void Sorting::make_room(int64_t count) {
  keys.ensure(count);
  other_keys.ensure(count);
  order.ensure(count);
  other_order.ensure(count);
}

// Least significant digit first. A stable sort has one result, whatever the tasks.
void sort_keys(Sorting& s, int64_t n, int bits) {
  const int64_t tasks = (n + kSortRun - 1) / kSortRun;
  s.histograms.resize(size_t(tasks) * kDigits);
  for (int shift = 0; shift < bits; shift += kDigitBits) {
    const uint32_t* keys = s.keys.data();
    const int32_t* order = s.order.data();
    uint32_t* to_keys = s.other_keys.data();
    int32_t* to_order = s.other_order.data();
    parallel(tasks, [&](int64_t task) {
      int64_t* histogram = &s.histograms[size_t(task) * kDigits];
      std::fill_n(histogram, kDigits, 0);
      for (int64_t i = task * kSortRun, end = std::min(n, i + kSortRun); i < end; ++i)
        ++histogram[keys[i] >> shift & (kDigits - 1)];
    });
    int64_t at = 0;
    bool one_digit = false;
    for (int digit = 0; digit < kDigits; ++digit) {
      const int64_t begin = at;
      for (int64_t task = 0; task < tasks; ++task) {
        int64_t& slot = s.histograms[size_t(task) * kDigits + size_t(digit)];
        const int64_t count = slot;
        slot = at;
        at += count;
      }
      one_digit |= at - begin == n;
    }
    if (one_digit) continue;
    parallel(tasks, [&](int64_t task) {
      int64_t* next = &s.histograms[size_t(task) * kDigits];
      for (int64_t i = task * kSortRun, end = std::min(n, i + kSortRun); i < end; ++i) {
        const int64_t to = next[keys[i] >> shift & (kDigits - 1)]++;
        to_keys[to] = keys[i];
        to_order[to] = order[i];
      }
    });
    s.keys.swap(s.other_keys);
    s.order.swap(s.other_order);
  }
}

}  // namespace splatfilm
