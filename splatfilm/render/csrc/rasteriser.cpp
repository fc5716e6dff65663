#include "rasteriser.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <mutex>
#include <numeric>

#include "pool.h"

namespace splatfilm {
namespace {

constexpr int64_t kBinRun = 4096;    // least splats in one part of the binning
constexpr int64_t kTieRun = 1024;    // sorted splats whose ties one task puts in order
constexpr double kWorthwhile = 0.5;  // of all blocks in view: from there on looking at each splat costs less
constexpr int64_t kAhead = 12;       // splats between the request for a record and its use

class Clock {
 public:
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - last_).count();
    last_ = now;
    return seconds;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

int64_t parts_of(int64_t count, int64_t size) { return (count + size - 1) / size; }

// Which blocks may have something in view; empty where so few are hidden that all splats are best taken as they stand:
// colours are then read from one end of memory to the other.
void look_at_blocks(const Culling& culling, Workspace& w) {
  const std::vector<Block>& blocks = culling.blocks->blocks;
  w.seen.resize(blocks.size());
  std::atomic<int64_t> seen{0};
  parallel(parts_of(int64_t(blocks.size()), kBlock), [&](int64_t part) {
    int64_t found = 0;
    for (size_t i = size_t(part * kBlock), end = std::min(blocks.size(), i + size_t(kBlock)); i < end; ++i)
      found += w.seen[i] = uint8_t(!hidden(blocks[i], w.view, culling.sight));
    seen.fetch_add(found, std::memory_order_relaxed);
  });
  if (double(seen) > kWorthwhile * double(blocks.size())) return w.seen.clear();
  w.counters.hidden = int64_t(blocks.size()) - seen;
}

// Projects those splats of one run that stand in blocks; returns how many have a record.
int project_blocks(const Scene& scene, const Workspace& w, int64_t begin, int64_t end, float* records) {
  int visible = 0;
  for (int64_t first = begin, last; first < end; first = last) {
    last = first + kBlock;
    if (!w.seen[size_t(first / kBlock)]) continue;
    while (last < end && w.seen[size_t(last / kBlock)]) last += kBlock;
    visible += kernels().project(scene, w.view, first, std::min(last, end), records + int64_t(visible) * kRecord);
  }
  return visible;
}

void project_all(const Scene& scene, const Culling* culling, Workspace& w) {
  const int64_t runs = parts_of(scene.count, kProjectRun);
  float* records = w.records.ensure(scene.count * kRecord);
  w.run_visible.assign(size_t(runs), 0);
  w.run_offsets.assign(size_t(runs) + 1, 0);
  w.seen.clear();
  w.counters.hidden = 0;
  if (culling) look_at_blocks(*culling, w);
  const int64_t in_blocks = w.seen.empty() ? 0 : culling->blocks->count;
  const Scene ordered = in_blocks ? scene_in_blocks(scene, *culling->blocks) : scene;
  const Kernels& k = kernels();
  parallel(runs, [&](int64_t run) {
    const int64_t begin = run * kProjectRun, end = std::min(scene.count, begin + kProjectRun);
    const int64_t middle = std::min(end, std::max(begin, in_blocks));
    float* to = records + begin * kRecord;
    int visible = project_blocks(ordered, w, begin, middle, to);
    if (middle < end) visible += k.project(scene, w.view, middle, end, to + int64_t(visible) * kRecord);
    w.run_visible[size_t(run)] = visible;
  });
  for (size_t run = 0; run < size_t(runs); ++run) w.run_offsets[run + 1] = w.run_offsets[run] + w.run_visible[run];
  w.counters.visible = w.run_offsets[size_t(runs)];
}

// From the camera to the splat's centre, in world axes: turning the camera leaves every bit as it is.
float squared_distance(const Scene& scene, const View& view, const float* record) {
  int32_t id;
  std::memcpy(&id, record + ID, 4);
  const float* mean = scene.means + 3 * int64_t(id);
  const float x = mean[0] - view.position[0], y = mean[1] - view.position[1], z = mean[2] - view.position[2];
  return (x * x + y * y) + z * z;
}

struct Grid {
  int columns, rows;
  float left, top;  // of the first tile, pixels
};

constexpr int64_t kMostPairs = int64_t(1) << 24;  // 12 bytes each, 81 more for the backward pass
int64_t most_pairs = kMostPairs;

Grid grid_of(const View& view) {
  return {(view.width + kTile - 1) / kTile, (view.height + kTile - 1) / kTile, float(view.left), float(view.top)};
}

// The tile that holds coordinate `pixels` from the first tile's edge, kept in 0 .. count - 1 before it becomes an integer.
int tile_at(float pixels, int count) { return int(std::min(std::max(pixels * (1.0f / kTile), 0.0f), float(count - 1))); }

// At most how many pairs a splat has in the band: the tiles of its ellipse's bounding box.
int64_t pairs_at_most(const float* r, const Grid& grid, const Band& band) {
  const float x = r[X] - 0.5f - grid.left, y = r[Y] - 0.5f - grid.top;
  const int column0 = std::max(band.column0, tile_at(x - r[EXTENT_X], grid.columns));
  const int column1 = std::min(band.column1 - 1, tile_at(x + r[EXTENT_X], grid.columns));
  const int row0 = std::max(band.row0, tile_at(y - r[EXTENT_Y], grid.rows));
  const int row1 = std::min(band.row1 - 1, tile_at(y + r[EXTENT_Y], grid.rows));
  return column0 <= column1 && row0 <= row1 ? int64_t(column1 - column0 + 1) * (row1 - row0 + 1) : 0;
}

// Also counts at most how many pairs the whole frame has, for the records are at hand.
void collect_keys(const Scene& scene, Workspace& w) {
  const int64_t runs = parts_of(scene.count, kProjectRun), n = w.counters.visible;
  const Grid grid = grid_of(w.view);
  const Band frame = {0, 0, grid.columns, grid.rows};
  w.run_pairs.assign(size_t(runs), 0);
  w.sorting.make_room(n);
  uint32_t* keys = w.sorting.keys.data();
  int32_t* order = w.sorting.order.data();
  parallel(runs, [&](int64_t run) {
    int64_t at = w.run_offsets[size_t(run)];
    const int64_t first = run * kProjectRun;
    int64_t pairs = 0;
    for (int64_t position = first; position < first + w.run_visible[size_t(run)]; ++position, ++at) {
      const float* record = &w.records[position * kRecord];
      const float key = w.view.by_distance ? squared_distance(scene, w.view, record) : record[Z];
      std::memcpy(&keys[at], &key, 4);
      order[at] = int32_t(position);
      pairs += pairs_at_most(record, grid, frame);
    }
    w.run_pairs[size_t(run)] = pairs;
  });
}

// Puts records of equal keys, whose order is that of the blocks, into the order of the splats.
void order_ties(Workspace& w) {
  const int64_t n = w.counters.visible;
  const uint32_t* keys = w.sorting.keys.data();
  int32_t* order = w.sorting.order.data();
  const auto id_at = [&](int32_t position) { return &w.records[int64_t(position) * kRecord + ID]; };
  const auto before = [&](int32_t a, int32_t b) {
    int32_t ids[2];
    std::memcpy(&ids[0], id_at(a), 4);
    std::memcpy(&ids[1], id_at(b), 4);
    return ids[0] < ids[1];
  };
  parallel(parts_of(n, kTieRun), [&](int64_t run) {  // the ties that begin in this run
    const int64_t begin = run * kTieRun, end = std::min(n, begin + kTieRun);
    for (int64_t i = begin; i < end; ++i)  // their records lie anywhere: ask for all of them first
      if ((i > 0 && keys[i] == keys[i - 1]) || (i + 1 < n && keys[i] == keys[i + 1])) __builtin_prefetch(id_at(order[i]));
    int64_t first = begin;
    while (first > 0 && first < end && keys[first] == keys[first - 1]) ++first;
    for (int64_t last; first < end; first = last) {
      for (last = first + 1; last < n && keys[last] == keys[first];) ++last;
      if (last - first > 1) std::sort(order + first, order + last, before);
    }
  });
}

// Bits of positive floats order as the numbers do; ties stay in the order of the splats.
void sort_by_depth(Workspace& w) {
  sort_keys(w.sorting, w.counters.visible, 32);
  if (!w.seen.empty()) order_ties(w);
}

// Calls visit(column, row) for every tile of the band whose pixel centres' rectangle the ellipse touches, by rows. In a row of tiles
// the ellipse is cut by a slab; both shapes are convex, so the tiles between the cut's extremes are exactly those touched.
template <typename Visit>
void tiles_of(const float* r, const Grid& grid, const Band& band, const Visit& visit) {
  if (!(r[EXTENT_X] > 0.0f && r[EXTENT_Y] > 0.0f)) return;
  const float x = r[X] - 0.5f, y = r[Y] - 0.5f;
  const int column0 = tile_at(x - r[EXTENT_X] - grid.left, grid.columns), column1 = tile_at(x + r[EXTENT_X] - grid.left, grid.columns);
  const int row0 = tile_at(y - r[EXTENT_Y] - grid.top, grid.rows), row1 = tile_at(y + r[EXTENT_Y] - grid.top, grid.rows);
  if (column0 >= band.column1 || column1 < band.column0 || row0 >= band.row1 || row1 < band.row0) return;
  if (column0 == column1 && row0 == row1) return visit(column0, row0);
  const int first_column = std::max(column0, band.column0), last_column = std::min(column1, band.column1 - 1);
  const float y_at_right = r[Y_OF_X] * r[EXTENT_X], per_u = 1.0f / r[U1];
  for (int row = std::max(row0, band.row0), end = std::min(row1 + 1, band.row1); row < end; ++row) {
    const float top = (float(row * kTile) + grid.top) - y, bottom = top + float(kTile - 1);
    const float y_right = std::min(std::max(y_at_right, top), bottom), y_left = std::min(std::max(-y_at_right, top), bottom);
    const float v_right = r[V2] * y_right, v_left = r[V2] * y_left;
    const float room_right = r[REACH] - v_right * v_right, room_left = r[REACH] - v_left * v_left;
    if (!(room_right >= 0.0f && room_left >= 0.0f)) continue;
    const float right = std::sqrt(room_right) * per_u + r[X_OF_Y] * y_right;
    const float left = r[X_OF_Y] * y_left - std::sqrt(room_left) * per_u;
    if (!(x + right >= grid.left && x + left <= grid.left + float(grid.columns * kTile))) continue;
    const int first = std::max(first_column, tile_at(x + left - grid.left, grid.columns));
    const int last = std::min(last_column, tile_at(x + right - grid.left, grid.columns));
    for (int column = first; column <= last; ++column) visit(column, row);
  }
}

int64_t pairs_at_most(const Workspace& w, const Grid& grid, const Band& band) {
  std::vector<int64_t> counts(w.run_visible.size(), 0);
  parallel(int64_t(w.run_visible.size()), [&](int64_t run) {
    int64_t count = 0;
    for (int64_t k = run * kProjectRun, end = k + w.run_visible[size_t(run)]; k < end; ++k)
      count += pairs_at_most(&w.records[k * kRecord], grid, band);
    counts[size_t(run)] = count;
  });
  return std::accumulate(counts.begin(), counts.end(), int64_t(0));
}

// Halves the band, which has at most so many pairs, across its longer side, until each part's pairs can be held or it is a
// single tile.
void split_into_bands(Workspace& w, const Grid& grid, const Band& band, int64_t pairs) {
  const int columns = band.column1 - band.column0, rows = band.row1 - band.row0;
  if (pairs <= most_pairs || columns * rows == 1) return w.bands.push_back(band);
  const int column = band.column0 + columns / 2, row = band.row0 + rows / 2;
  const Band first = rows >= columns ? Band{band.column0, band.row0, band.column1, row} : Band{band.column0, band.row0, column, band.row1};
  const Band second = rows >= columns ? Band{band.column0, row, band.column1, band.row1} : Band{column, band.row0, band.column1, band.row1};
  for (const Band& part : {first, second}) split_into_bands(w, grid, part, pairs_at_most(w, grid, part));
}

// Stable counting sort of the depth-sorted splats into the band's tiles: each part counts, then each part places its own.
void bin(const Scene& scene, Workspace& w, const Band& band, bool for_backward) {
  const Grid grid = grid_of(w.view);
  const int columns = band.column1 - band.column0;
  const size_t tiles = size_t(columns) * size_t(band.row1 - band.row0);
  const int64_t n = w.counters.visible;
  const int64_t parts = std::max<int64_t>(1, std::min<int64_t>(parts_of(n, kBinRun), 4 * threads()));
  if (int64_t(w.part_pairs.size()) < parts) w.part_pairs.resize(size_t(parts));
  if (int64_t(w.part_tiles.size()) < parts) w.part_tiles.resize(size_t(parts));
  w.part_counts.assign(size_t(parts), 0);
  w.part_begins.assign(size_t(parts) + 1, 0);
  SlotRange* ranges = for_backward ? w.ranges.ensure(scene.count) : nullptr;

  parallel(parts, [&](int64_t part) {
    Buffer<Pair>& pairs = w.part_pairs[size_t(part)];
    std::vector<int32_t>& counts = w.part_tiles[size_t(part)];
    counts.assign(tiles, 0);
    const int64_t begin = n * part / parts, end = n * (part + 1) / parts;
    int64_t room = pairs.bytes() / int64_t(sizeof(Pair)), found = 0;
    for (int64_t i = begin; i < end; ++i) {
      const int32_t position = w.sorting.order[i];
      // Depth order jumps about in the records: ask for them some splats ahead.
      if (i + kAhead < end) __builtin_prefetch(&w.records[int64_t(w.sorting.order[i + kAhead]) * kRecord]);
      const int64_t before = found;
      tiles_of(&w.records[int64_t(position) * kRecord], grid, band, [&](int column, int row) {
        if (found == room) {
          Buffer<Pair> larger;
          room = std::max<int64_t>(room * 2, 4 * (end - begin));
          larger.ensure(room);
          if (found) std::memcpy(larger.data(), pairs.data(), size_t(found) * sizeof(Pair));
          pairs.swap(larger);
        }
        const int32_t tile = (row - band.row0) * columns + column - band.column0;
        pairs[found++] = {tile, position};
        ++counts[size_t(tile)];
      });
      if (ranges) ranges[position] = {before, int32_t(found - before)};
    }
    w.part_counts[size_t(part)] = found;
  });
  for (size_t part = 0; part < size_t(parts); ++part) w.part_begins[part + 1] = w.part_begins[part] + w.part_counts[part];

  w.tile_begins.resize(tiles + 1);
  int64_t at = 0;
  for (size_t tile = 0; tile < tiles; ++tile) {
    w.tile_begins[tile] = at;
    int32_t in_tile = 0;
    for (size_t part = 0; part < size_t(parts); ++part) {
      int32_t& count = w.part_tiles[part][tile];
      const int32_t own = count;
      count = in_tile;
      in_tile += own;
    }
    at += in_tile;
  }
  w.tile_begins[tiles] = at;

  int32_t* positions = w.tile_positions.ensure(at);
  int32_t* slots = for_backward ? w.pair_slots.ensure(at) : nullptr;
  parallel(parts, [&](int64_t part) {
    const Pair* pairs = w.part_pairs[size_t(part)].data();
    std::vector<int32_t>& next = w.part_tiles[size_t(part)];
    const int64_t base = w.part_begins[size_t(part)];
    for (int64_t k = 0; k < w.part_counts[size_t(part)]; ++k) {
      const size_t tile = size_t(pairs[k].tile);
      const int64_t to = w.tile_begins[tile] + next[tile]++;
      positions[to] = pairs[k].position;
      if (slots) slots[base + k] = int32_t(to);
    }
    if (!ranges) return;
    for (int64_t i = n * part / parts; i < n * (part + 1) / parts; ++i) ranges[w.sorting.order[i]].begin += base;
  });
}

// Tile number `tile` of the band that was binned last.
TileList tile_list(const Workspace& w, const Band& band, int64_t tile) {
  const int64_t begin = w.tile_begins[size_t(tile)], columns = band.column1 - band.column0;
  return {w.tile_positions.data() + begin, begin, w.tile_begins[size_t(tile) + 1] - begin,
          band.column0 + int(tile % columns), band.row0 + int(tile / columns)};
}

int64_t tiles_of_band(const Band& band) { return int64_t(band.column1 - band.column0) * (band.row1 - band.row0); }

FeatureSource feature_group(const Extras& extras, int first) {
  return {extras.features, extras.channels, first, std::min(kFeatureGroup, extras.channels - first)};
}

// Each visible splat adds its pairs' sums in the pairs' order.
void gather_channels(const FeatureSource& source, const Workspace& w, float* d_features) {
  parallel(int64_t(w.run_visible.size()), [&](int64_t run) {
    for (int64_t k = run * kProjectRun; k < run * kProjectRun + w.run_visible[size_t(run)]; ++k) {
      int32_t id;
      std::memcpy(&id, &w.records[k * kRecord + ID], 4);
      float* to = d_features + int64_t(id) * source.channels + source.first;
      float sums[kFeatureGroup] = {};
      for (int c = 0; c < source.count; ++c) sums[c] = to[c];  // of the bands before
      const SlotRange& range = w.ranges[k];
      for (int64_t pair = range.begin; pair < range.begin + range.count; ++pair) {
        const int64_t slot = w.pair_slots[pair];
        if (!w.touched[slot]) continue;
        for (int c = 0; c < kFeatureGroup; ++c) sums[c] += w.channel_sums[slot * kFeatureGroup + c];
      }
      for (int c = 0; c < source.count; ++c) to[c] = sums[c];
    }
  });
}

std::mutex spare_mutex;
std::vector<std::unique_ptr<Workspace>>& spare() {
  static auto* kept = new std::vector<std::unique_ptr<Workspace>>;
  return *kept;
}
constexpr size_t kSpare = 2;

}  // namespace

int64_t Workspace::bytes() const {
  int64_t total = records.bytes() + sorting.bytes() +
                  ranges.bytes() + tile_positions.bytes() + pair_slots.bytes() + slots.bytes() + channel_sums.bytes() + touched.bytes() +
                  record_sums.bytes();
  for (const Buffer<Pair>& pairs : part_pairs) total += pairs.bytes();
  for (const std::vector<int32_t>& tiles : part_tiles) total += int64_t(tiles.capacity() * sizeof(int32_t));
  return total;
}

std::unique_ptr<Workspace> borrow_workspace() {
  const std::lock_guard<std::mutex> lock(spare_mutex);
  if (spare().empty()) return std::make_unique<Workspace>();
  std::unique_ptr<Workspace> w = std::move(spare().back());
  spare().pop_back();
  return w;
}

void return_workspace(std::unique_ptr<Workspace> w) {
  const std::lock_guard<std::mutex> lock(spare_mutex);
  if (w && spare().size() < kSpare) spare().push_back(std::move(w));
}

void rasterise(const Scene& scene, const View& view, const Picture& picture, const Extras& extras, bool for_backward,
               Workspace& w, const Culling* culling) {
  Clock clock;
  w.view = view;
  project_all(scene, culling, w);
  w.counters.seconds[0] = clock.lap();
  collect_keys(scene, w);
  sort_by_depth(w);
  w.counters.seconds[1] = clock.lap();
  w.bands.clear();
  const Grid grid = grid_of(w.view);
  split_into_bands(w, grid, {0, 0, grid.columns, grid.rows}, std::accumulate(w.run_pairs.begin(), w.run_pairs.end(), int64_t(0)));
  w.counters.pairs = w.counters.evaluations = 0;
  w.counters.seconds[2] = clock.lap();
  w.counters.seconds[3] = 0.0;
  const Kernels& k = kernels();
  std::vector<int64_t> evaluations;
  for (const Band& band : w.bands) {
    bin(scene, w, band, for_backward && w.bands.size() == 1);
    w.counters.seconds[2] += clock.lap();
    const int64_t tiles = tiles_of_band(band);
    evaluations.assign(size_t(tiles), 0);
    parallel(tiles, [&](int64_t tile) {
      const TileList list = tile_list(w, band, tile);
      evaluations[size_t(tile)] = k.blend(w.view, list, w.records.data(), picture);
      for (int first = 0; first < extras.channels; first += kFeatureGroup)
        k.blend_features(w.view, list, w.records.data(), feature_group(extras, first), extras.picture);
      if (extras.depths.median) k.blend_depths(w.view, list, w.records.data(), extras.depths);
    });
    for (int64_t e : evaluations) w.counters.evaluations += 16 * e;
    w.counters.pairs += w.tile_begins[size_t(tiles)];
    w.counters.seconds[3] += clock.lap();
  }
}

namespace {

// Sums over the tiles of one band into the pairs' slots.
PairSums band_backward(const Picture& picture, const PictureGradients& d, bool absolute, const Band& band, Workspace& w,
                       const Extras& extras, const FeatureGradients& d_extras) {
  const Kernels& k = kernels();
  const int64_t tiles = tiles_of_band(band), pairs = w.tile_begins[size_t(tiles)];
  const PairSums sums = {w.slots.ensure(pairs * kSlot), w.touched.ensure(pairs), w.pair_slots.data()};
  parallel(tiles, [&](int64_t tile) {
    k.blend_backward(w.view, tile_list(w, band, tile), w.records.data(), picture, d, absolute, sums);
  });
  for (int first = 0; d_extras.picture && first < extras.channels; first += kFeatureGroup) {
    const FeatureSource source = feature_group(extras, first);
    float* channel_sums = w.channel_sums.ensure(pairs * kFeatureGroup);
    parallel(tiles, [&](int64_t tile) {
      k.blend_features_backward(w.view, tile_list(w, band, tile), w.records.data(), source, extras.picture, d_extras.picture,
                                sums, channel_sums);
    });
    gather_channels(source, w, d_extras.features);
  }
  return sums;
}

// Adds the band's slots to each record's sums, in the order of its pairs.
void add_to_records(const PairSums& sums, Workspace& w) {
  parallel(int64_t(w.run_visible.size()), [&](int64_t run) {
    for (int64_t k = run * kProjectRun; k < run * kProjectRun + w.run_visible[size_t(run)]; ++k) {
      float* to = &w.record_sums[k * kSlot];
      const SlotRange& range = w.ranges[k];
      for (int64_t pair = range.begin; pair < range.begin + range.count; ++pair) {
        const int64_t slot = sums.of_pair[pair];
        if (!sums.touched[slot]) continue;
        for (int c = 0; c < kSlot; ++c) to[c] += sums.slots[slot * kSlot + c];
      }
    }
  });
}

// Every record has one pair: its sums over all bands.
PairSums sums_by_record(const Scene& scene, Workspace& w) {
  int32_t* slots = w.pair_slots.ensure(scene.count);
  uint8_t* touched = w.touched.ensure(scene.count);
  SlotRange* ranges = w.ranges.ensure(scene.count);
  for (int64_t k = 0; k < scene.count; ++k) {
    slots[k] = int32_t(k);
    touched[k] = 1;
    ranges[k] = {k, 1};
  }
  return {w.record_sums.data(), touched, slots};
}

}  // namespace

void rasterise_backward(const Scene& scene, const Picture& picture, const PictureGradients& d,
                        const SceneGradients& out, Workspace& w, const Extras& extras, const FeatureGradients& d_extras) {
  Clock clock;
  PairSums sums;
  const bool absolute = out.absolute != nullptr;
  if (w.bands.size() == 1) {
    sums = band_backward(picture, d, absolute, w.bands[0], w, extras, d_extras);
  } else {
    std::fill_n(w.record_sums.ensure(scene.count * kSlot), scene.count * kSlot, 0.0f);
    for (const Band& band : w.bands) {
      bin(scene, w, band, true);
      add_to_records(band_backward(picture, d, absolute, band, w, extras, d_extras), w);
    }
    sums = sums_by_record(scene, w);
  }
  w.counters.seconds[4] = clock.lap();
  const Kernels& k = kernels();
  const int64_t runs = parts_of(scene.count, kProjectRun);
  std::vector<double> poses(out.pose ? size_t(runs) * 6 : 0);
  SceneGradients of_runs = out;
  if (out.pose) of_runs.pose = poses.data();
  parallel(runs, [&](int64_t run) {
    const int64_t begin = run * kProjectRun, end = std::min(scene.count, begin + kProjectRun);
    k.project_backward(scene, w.view, begin, end, w.records.data() + begin * kRecord, w.run_visible[size_t(run)],
                       w.ranges.data() + begin, sums, of_runs);
  });
  if (out.pose) std::fill_n(out.pose, 6, 0.0);
  for (size_t i = 0; i < poses.size(); ++i) out.pose[i % 6] += poses[i];  // in the runs' order, whoever made them
  w.counters.seconds[5] = clock.lap();
}

void set_most_pairs(int64_t pairs) { most_pairs = pairs < 1 ? kMostPairs : pairs; }

void footprints(const Scene& scene, const Workspace& w, float* radii) {
  std::fill_n(radii, scene.count, 0.0f);
  for (size_t run = 0; run < w.run_visible.size(); ++run)
    for (int64_t k = 0; k < w.run_visible[run]; ++k) {
      const float* r = &w.records[(int64_t(run) * kProjectRun + k) * kRecord];
      int32_t id;
      std::memcpy(&id, r + ID, 4);
      radii[id] = std::max(0.0f, std::max(r[EXTENT_X], r[EXTENT_Y]));
    }
}

}  // namespace splatfilm
