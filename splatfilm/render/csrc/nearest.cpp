// The nearest triangle by a tree of boxes: points go down to the nearer half first and skip what is farther than what
// they have. The distance is after C. Ericson, "Real-Time Collision Detection", 2005, section 5.1.5, written as in
// stage/rigs/surface.py, which gives the same bits without this extension.
#include "nearest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "pool.h"

namespace splatfilm {
namespace {

constexpr int64_t kLeaf = 4;
constexpr double kSlack = 1e-12;  // square metres by which a box may be misjudged without losing an equal

struct Box {
  double low[3], high[3];
};

struct Node {
  Box box;
  int64_t begin, end;      // of the tree's order, for leaves
  int32_t left, right;     // -1 for leaves
};

struct Tree {
  std::vector<Node> nodes;
  std::vector<int64_t> order;
};

Box box_of(const double* corners, const int64_t* first, const int64_t* last) {
  Box box;
  for (int k = 0; k < 3; ++k) {
    box.low[k] = std::numeric_limits<double>::infinity();
    box.high[k] = -box.low[k];
  }
  for (; first != last; ++first)
    for (int i = 0; i < 9; ++i) {
      const double value = corners[9 * *first + i];
      box.low[i % 3] = std::min(box.low[i % 3], value);
      box.high[i % 3] = std::max(box.high[i % 3], value);
    }
  return box;
}

int32_t grow(const double* corners, Tree& tree, int64_t begin, int64_t end) {
  const int32_t own = int32_t(tree.nodes.size());
  tree.nodes.push_back({box_of(corners, tree.order.data() + begin, tree.order.data() + end), begin, end, -1, -1});
  if (end - begin <= kLeaf) return own;
  const Box box = tree.nodes[size_t(own)].box;
  int axis = 0;
  for (int k = 1; k < 3; ++k)
    if (box.high[k] - box.low[k] > box.high[axis] - box.low[axis]) axis = k;
  const auto middle = [&](int64_t t) { return corners[9 * t + axis] + corners[9 * t + 3 + axis] + corners[9 * t + 6 + axis]; };
  const int64_t half = (begin + end) / 2;
  std::nth_element(tree.order.begin() + begin, tree.order.begin() + half, tree.order.begin() + end,
                   [&](int64_t a, int64_t b) { return middle(a) < middle(b) || (middle(a) == middle(b) && a < b); });
  const int32_t left = grow(corners, tree, begin, half), right = grow(corners, tree, half, end);
  tree.nodes[size_t(own)].left = left;
  tree.nodes[size_t(own)].right = right;
  return own;
}

double away(const Box& box, const double* p) {
  double sum = 0;
  for (int k = 0; k < 3; ++k) {
    const double d = std::max({box.low[k] - p[k], 0.0, p[k] - box.high[k]});
    sum += d * d;
  }
  return sum;
}

double dot(const double* a, const double* b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

double number(double v) {
  if (std::isnan(v)) return 0;
  const double most = std::numeric_limits<double>::max();
  return v > most ? most : v < -most ? -most : v;
}

// The squared distance, and the barycentric coordinates of the nearest point.
double measured(const double* p, const double* corners, double* bary) {
  double ab[3], ac[3], ap[3];
  for (int k = 0; k < 3; ++k) {
    ab[k] = corners[3 + k] - corners[k];
    ac[k] = corners[6 + k] - corners[k];
    ap[k] = p[k] - corners[k];
  }
  const double d1 = dot(ab, ap), d2 = dot(ac, ap), abab = dot(ab, ab), abac = dot(ab, ac), acac = dot(ac, ac);
  const double d3 = d1 - abab, d4 = d2 - abac, d5 = d1 - abac, d6 = d2 - acac;
  const double va = d3 * d6 - d5 * d4, vb = d5 * d2 - d1 * d6, vc = d1 * d4 - d3 * d2;
  const double total = va + vb + vc;
  double v = vb / total, w = vc / total;
  if (d1 <= 0 && d2 <= 0) v = 0, w = 0;
  else if (d3 >= 0 && d4 <= d3) v = 1, w = 0;
  else if (d6 >= 0 && d5 <= d6) v = 0, w = 1;
  else if (vc <= 0 && d1 >= 0 && d3 <= 0) v = d1 / (d1 - d3), w = 0;
  else if (vb <= 0 && d2 >= 0 && d6 <= 0) v = 0, w = d2 / (d2 - d6);
  else if (va <= 0 && d4 >= d3 && d5 >= d6) w = (d4 - d3) / ((d4 - d3) + (d5 - d6)), v = 1 - w;
  v = number(v);
  w = number(w);
  double offset[3];
  for (int k = 0; k < 3; ++k) offset[k] = ap[k] - v * ab[k] - w * ac[k];
  bary[0] = 1 - v - w;
  bary[1] = v;
  bary[2] = w;
  return dot(offset, offset);
}

void find(const NearestTask& task, const Tree& tree, int64_t i) {
  const double* p = task.points + 3 * i;
  double best = std::numeric_limits<double>::infinity();
  int64_t chosen = 0;
  int32_t waiting[128];  // halves of halves: a tree of 2^60 triangles is 60 deep
  int count = 0;
  waiting[count++] = 0;
  while (count) {
    const Node& node = tree.nodes[size_t(waiting[--count])];
    if (away(node.box, p) > best + kSlack) continue;
    if (node.left >= 0) {
      const bool swap = away(tree.nodes[size_t(node.right)].box, p) < away(tree.nodes[size_t(node.left)].box, p);
      waiting[count++] = swap ? node.left : node.right;
      waiting[count++] = swap ? node.right : node.left;
      continue;
    }
    for (int64_t k = node.begin; k < node.end; ++k) {
      const int64_t t = tree.order[size_t(k)];
      double bary[3];
      const double apart = measured(p, task.corners + 9 * t, bary);
      if (apart > best || (apart == best && t > chosen) || std::isnan(apart)) continue;
      best = apart;
      chosen = t;
      std::copy(bary, bary + 3, task.barycentric + 3 * i);
    }
  }
  task.triangle[i] = chosen;
  task.distance[i] = std::sqrt(best);
}

}  // namespace

void nearest(const NearestTask& task) {
  Tree tree;
  tree.order.resize(size_t(task.triangles));
  std::iota(tree.order.begin(), tree.order.end(), int64_t(0));
  tree.nodes.reserve(size_t(2 * task.triangles));
  grow(task.corners, tree, 0, task.triangles);
  constexpr int64_t kRun = 256;
  parallel((task.count + kRun - 1) / kRun, [&](int64_t run) {
    for (int64_t i = run * kRun; i < std::min(task.count, (run + 1) * kRun); ++i) find(task, tree, i);
  });
}

}  // namespace splatfilm
