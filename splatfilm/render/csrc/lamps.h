// Declared lamps: what of each gets to places of a member, in the shadow of the set and of the member itself.
//
// The light of a lamp at a place is one vector, A. Gershun's "light field" (1936): a surface there that the whole lamp
// is above of gets the vector's product with its normal. So shadows are looked for once for many splats, and each splat
// still has its own cosine.
#pragma once
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "falling.h"
#include "lattice.h"

namespace splatfilm {

constexpr int kShining = 20;  // numbers of one, in the order above

// What a set that stands still lets by, from points of a grid; each is looked from once.
class Openings {
 public:
  Openings(const SplatArrays& splats, int64_t count, const Box& box, double cell, std::vector<Shining> lamps);

  const std::vector<Shining>& lamps() const { return lamps_; }
  int64_t known() const { return int64_t(weights_.size()); }

  // The share of each lamp's light that the set lets by to places: [count, lamps].
  std::vector<float> at(const float* places, int64_t count);

 private:
  struct Node {
    int64_t x, y, z;
  };
  void look(const std::vector<Node>& fresh);

  Depths depths_;
  double cell_;
  std::vector<Shining> lamps_;
  std::unordered_map<uint64_t, int32_t> number_;
  std::vector<float> shares_, weights_;  // [known, lamps], [known]
};

// What falls on places of a member.
struct Fallen {
  std::vector<float> open;     // [count] of light from all around, the share that the member itself does not stop
  std::vector<float> vectors;  // [count, lamps, 3] over pi, towards each whole lamp
};

struct PlacesOfMember {
  const float *at, *normals;  // [count, 3]
  int64_t count;
};

// A member's own depths: finely for what is in the way of a lamp, coarsely for light from all around.
class OwnDepths {
 public:
  // What was there before is forgotten, and its memory used again; `more` is added to it, in the same box.
  void fill(const std::vector<Blocking>& parts, const Box& coarse, double cell);
  void fill_more(const std::vector<Blocking>& parts, const Box& coarse, double cell);

  const Depths& fine() const { return fine_; }
  const Depths& coarse() const { return coarse_; }
  double cell() const { return cell_; }  // metres, of the coarse one: kFiner of the fine one's

 private:
  Depths fine_, coarse_;
  double cell_ = 0;
};

constexpr int kFiner = 2;

// `lets_by` is [count, shining], null: all of it. `whole` is how many lamps the shining ones are parts of. The same bits at
// any thread count.
Fallen falls_on(const PlacesOfMember&, const OwnDepths& own, const std::vector<Shining>&, int whole, const float* lets_by);

}  // namespace splatfilm
