// Every cell's samples fall into voxels; each voxel's deviate goes to the one cell that holds most of it. All sums are of
// integers, so no order of work shows in a bit of the result.
#include "noise.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "buffer.h"
#include "pool.h"

namespace splatfilm {
namespace {

constexpr int kParts = 64;  // groups of voxels that are given away independently: each one's table fits a near cache
constexpr int kPartShift = 58;
constexpr uint64_t kGolden = 0x9E3779B97F4A7C15ull;
constexpr uint64_t kAxis[3] = {0xC2B2AE3D27D4EB4Full, 0x165667B19E3779F9ull, 0xD6E8FEB86659FD93ull};
constexpr uint64_t kUnowned = 0x2545F4914F6CDD1Dull;
constexpr int kMostLevel = 60;
constexpr double kFarthest = 4.6e18;  // voxels from the origin, within 64 bits

// The finaliser of SplitMix64 (G. Steele, D. Lea and C. Flood, OOPSLA 2014).
inline uint64_t mix(uint64_t x) {
  x ^= x >> 30;
  x *= 0xBF58476D1CE4E5B9ull;
  x ^= x >> 27;
  x *= 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

struct Holding {  // a cell's share of a voxel
  uint64_t voxel;
  int32_t cell, count;
};

struct Slot {
  uint64_t voxel;
  int32_t cell, count;  // the greatest share so far; count 0: nobody's
};

inline double finite(float x) { return std::isfinite(x) ? double(x) : 0.0; }

// The lesser of two differences where they agree in sign: flat surfaces keep their slope, edges get none.
inline double lesser(double a, double b) {
  if ((a > 0) != (b > 0)) return 0.0;
  return std::fabs(a) < std::fabs(b) ? a : b;
}

inline double slope(const NoiseTask& t, int64_t at, int axis, bool has_before, int64_t before, bool has_after,
                    int64_t after) {
  const double here = finite(t.places[3 * at + axis]);
  has_before = has_before && t.seeds[before] == t.seeds[at];
  has_after = has_after && t.seeds[after] == t.seeds[at];
  const double b = has_before ? here - finite(t.places[3 * before + axis]) : 0.0;
  const double a = has_after ? finite(t.places[3 * after + axis]) - here : 0.0;
  if (has_before && has_after) return lesser(b, a);
  return has_before ? b : a;
}

inline uint64_t voxel_of(const NoiseTask& t, const double* place, int level, uint64_t seed) {
  const double unit = std::ldexp(1.0, -level);
  uint64_t h = mix(seed ^ (uint64_t(level + kMostLevel + 1) * kGolden));
  for (int axis = 0; axis < 3; ++axis) {
    const double* r = t.rotation + 3 * axis;
    const double y = ((r[0] * place[0] + r[1] * place[1]) + r[2] * place[2]) + t.offset[axis];
    const double step = std::clamp(std::floor(y * unit), -kFarthest, kFarthest);
    h = mix(h ^ (uint64_t(int64_t(step)) * kAxis[axis]));
  }
  return h;
}

// floor(log2(x)), exactly; the finest level for what is no positive number.
inline int level_of(double x) {
  if (!(x > 0) || !std::isfinite(x)) return -kMostLevel;
  int exponent;
  std::frexp(x, &exponent);
  return std::clamp(exponent - 1, -kMostLevel, kMostLevel);
}

// The holdings of one row of cells, cell by cell; returns how many. `ends[c]` is where cell c's end.
int32_t hold_row(const NoiseTask& t, int row, int columns, const double* offsets, Holding* out, int32_t* ends,
                 uint64_t* first_voxels) {
  int32_t count = 0;
  const int top = row * t.cell, bottom = std::min(t.height, top + t.cell);
  for (int column = 0; column < columns; ++column) {
    const int32_t begin = count;
    const int left = column * t.cell, right = std::min(t.width, left + t.cell);
    bool first = true;
    for (int y = top; y < bottom; ++y) {
      for (int x = left; x < right; ++x) {
        const int64_t at = int64_t(y) * t.width + x;
        const int level = level_of(double(t.footprints[at]) * t.voxels);
        double across[3] = {0, 0, 0}, down[3] = {0, 0, 0}, here[3];
        for (int axis = 0; axis < 3; ++axis) {
          here[axis] = finite(t.places[3 * at + axis]);
          if (t.sub == 1) continue;
          across[axis] = slope(t, at, axis, x > 0, at - 1, x + 1 < t.width, at + 1);
          down[axis] = slope(t, at, axis, y > 0, at - t.width, y + 1 < t.height, at + t.width);
        }
        for (int j = 0; j < t.sub; ++j) {
          for (int i = 0; i < t.sub; ++i) {
            double place[3];
            for (int axis = 0; axis < 3; ++axis)
              place[axis] = here[axis] + (offsets[i] * across[axis] + offsets[j] * down[axis]);
            const uint64_t voxel = voxel_of(t, place, level, uint64_t(t.seeds[at]));
            if (first) first_voxels[column] = voxel;
            first = false;
            int32_t k = begin;
            while (k < count && out[k].voxel != voxel) ++k;
            if (k == count) out[count++] = {voxel, row * columns + column, 0};
            ++out[k].count;
          }
        }
      }
    }
    ends[column] = count;
  }
  return count;
}

// Marks the holdings in `order` whose cell owns the voxel: the one with the greatest count, of equals the first cell.
void give_away(const Holding* holdings, const int32_t* order, int64_t count, uint8_t* owned) {
  size_t room = 16;
  while (room < size_t(2 * count)) room *= 2;
  std::vector<Slot> table(room, Slot{0, 0, 0});
  std::vector<uint32_t> places(size_t(count), 0);
  for (int64_t i = 0; i < count; ++i) {
    const Holding& h = holdings[order[i]];
    size_t at = size_t(h.voxel) & (room - 1);
    while (table[at].count && table[at].voxel != h.voxel) at = (at + 1) & (room - 1);
    places[size_t(i)] = uint32_t(at);
    Slot& slot = table[at];
    if (h.count > slot.count || (h.count == slot.count && h.cell < slot.cell)) slot = {h.voxel, h.cell, h.count};
  }
  for (int64_t i = 0; i < count; ++i) owned[order[i]] = table[places[size_t(i)]].cell == holdings[order[i]].cell;
}

}  // namespace

void anchored_noise(const NoiseTask& t) {
  const int rows = (t.height + t.cell - 1) / t.cell, columns = (t.width + t.cell - 1) / t.cell;
  const int64_t row_room = int64_t(t.width) * t.cell * t.sub * t.sub;
  Buffer<Holding> holdings;
  holdings.ensure(rows * row_room);
  Buffer<uint8_t> owned;
  owned.ensure(rows * row_room);
  std::vector<int32_t> ends(size_t(rows) * columns), counts(size_t(rows), 0);
  std::vector<uint64_t> first_voxels(size_t(rows) * columns);
  std::vector<double> offsets(size_t(t.sub), 0.0);
  for (int i = 0; i < t.sub; ++i) offsets[size_t(i)] = (i + 0.5) / t.sub - 0.5;
  std::vector<int64_t> begins(size_t(rows) * kParts, 0);

  parallel(rows, [&](int64_t row) {
    Holding* mine = holdings.data() + row * row_room;
    counts[size_t(row)] = hold_row(t, int(row), columns, offsets.data(), mine, ends.data() + row * columns,
                                   first_voxels.data() + row * columns);
    for (int32_t k = 0; k < counts[size_t(row)]; ++k) ++begins[size_t(row) * kParts + (mine[k].voxel >> kPartShift)];
  });

  int64_t total = 0, part_begins[kParts + 1];
  for (int part = 0; part < kParts; ++part) {
    part_begins[part] = total;
    for (int row = 0; row < rows; ++row) {
      const int64_t n = begins[size_t(row) * kParts + part];
      begins[size_t(row) * kParts + part] = total;
      total += n;
    }
  }
  part_begins[kParts] = total;
  Buffer<int32_t> order;
  order.ensure(total);
  parallel(rows, [&](int64_t row) {
    const Holding* mine = holdings.data() + row * row_room;
    int64_t* next = begins.data() + row * kParts;
    for (int32_t k = 0; k < counts[size_t(row)]; ++k) order.data()[next[mine[k].voxel >> kPartShift]++] = int32_t(row * row_room + k);
  });
  parallel(kParts, [&](int64_t part) {
    give_away(holdings.data(), order.data() + part_begins[part], part_begins[part + 1] - part_begins[part], owned.data());
  });

  parallel(rows, [&](int64_t row) {
    const Holding* mine = holdings.data() + row * row_room;
    const uint8_t* is_mine = owned.data() + row * row_room;
    std::vector<int64_t> sums(size_t(t.channels));
    int32_t k = 0;
    for (int column = 0; column < columns; ++column) {
      const int64_t cell = row * columns + column;
      std::fill(sums.begin(), sums.end(), 0);
      int64_t squares = 0;
      const auto add = [&](uint64_t voxel, int64_t count) {
        squares += count * count;
        for (int c = 0; c < t.channels; ++c) sums[size_t(c)] += count * t.table[mix(voxel + uint64_t(c) * kGolden) >> 48];
      };
      for (; k < ends[size_t(cell)]; ++k)
        if (is_mine[k]) add(mine[k].voxel, mine[k].count);
      if (squares == 0) add(mix(first_voxels[size_t(cell)] ^ (uint64_t(cell + 1) * kUnowned)), 1);
      const double scale = t.table_one * std::sqrt(double(squares));
      for (int c = 0; c < t.channels; ++c) t.out[cell * t.channels + c] = float(double(sums[size_t(c)]) / scale);
    }
  });
}

}  // namespace splatfilm
