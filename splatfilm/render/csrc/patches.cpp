// A member's splats in patches, which stand for all that they show when light is taken from it.
#include <algorithm>
#include <cmath>
#include <tuple>

#include "contact.h"
#include "facing.h"

namespace splatfilm {
namespace {

// Which of the two sides of a surface is its outside: -1..1 for the side that the normal points to. `own` is the closed
// body that the surface belongs to: it is outside where there is less of it.
float side_of(const Depths& own, const Spot& s, const float (&normal)[3]) {
  const Box& box = own.box();
  const int64_t x = s.x + (s.u > 0.5f), y = s.y + (s.v > 0.5f), z = s.z + (s.w > 0.5f);
  if (!box.holds(x - 1, y - 1, z - 1) || !box.holds(x + 1, y + 1, z + 1)) return 0;
  const int32_t* v = own.blurred(2) + box.at(x, y, z);
  const int64_t row = box.size[0], plane = row * box.size[1];
  const float gx = float(v[1] - v[-1]), gy = float(v[row] - v[-row]), gz = float(v[plane] - v[-plane]);
  const float slope = -(gx * normal[0] + gy * normal[1] + gz * normal[2]);
  const float most = float(v[0]) * 0.1f;  // a change of a fifth over two cells leaves no doubt
  return most > 0 ? std::max(-1.0f, std::min(1.0f, slope / most)) : 0;
}

}  // namespace

Patches patches_of(const SplatArrays& splats, int64_t count, const Box& solid, double cell, double size) {
  Depths own;
  own.fill({splats, count, nullptr, nullptr}, solid, cell);
  struct Key {
    int64_t cell[3];
    int facing;
    bool operator<(const Key& o) const {
      return std::tie(cell[2], cell[1], cell[0], facing) < std::tie(o.cell[2], o.cell[1], o.cell[0], o.facing);
    }
  };
  struct Found {
    Key first;
    int64_t row;
  };
  std::vector<Found> found;
  std::vector<float> side(static_cast<size_t>(count));
  for (int64_t row = 0; row < count; ++row) {
    if (!(splats.opacities[row] > 0)) continue;
    const Spot s = spot_at(splats, row, size);
    float n[3];
    normal_of(splats, row, n);
    side[size_t(row)] = side_of(own, spot_at(splats, row, cell), n);
    const int main = facing_of(n);
    const float out = n[main] * side[size_t(row)];
    found.push_back({{{s.x, s.y, s.z}, 3 * main + (std::fabs(side[size_t(row)]) < 0.5f ? 2 : out < 0)}, row});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.first < b.first || (!(b.first < a.first) && a.row < b.row);
  });
  Patches patches;
  patches.patch.assign(size_t(count), -1);
  for (size_t first = 0, last; first < found.size(); first = last) {
    float area = 0;
    for (last = first; last < found.size() && !(found[first].first < found[last].first); ++last) {
      area += area_of(splats, found[last].row);
      patches.patch[size_t(found[last].row)] = int32_t(patches.rows.size());
    }
    const int64_t best = in_the_middle(splats, found.data() + first, last - first);
    patches.rows.push_back(best);
    patches.areas.push_back(area);
    patches.sides.push_back(side[size_t(best)]);
  }
  return patches;
}

}  // namespace splatfilm
