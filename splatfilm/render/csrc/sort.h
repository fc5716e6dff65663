// Sorting many small keys, in parallel and with one result whatever the threads.
#pragma once
#include <vector>

#include "buffer.h"

namespace splatfilm {

// What is sorted, and room to sort it in. Fill `keys` and `order` (each `ensure`d like their others) before.
struct Sorting {
  Buffer<uint32_t> keys, other_keys;
  Buffer<int32_t> order, other_order;  // what each key stands for, moved along with it
  std::vector<int64_t> histograms;

  void make_room(int64_t count);
  int64_t bytes() const { return keys.bytes() + other_keys.bytes() + order.bytes() + other_order.bytes(); }
};

// Stable, by the low `bits` of the keys.
void sort_keys(Sorting&, int64_t count, int bits);

}  // namespace splatfilm
