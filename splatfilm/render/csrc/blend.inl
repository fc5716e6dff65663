// Blending a tile front to back, and its exact replay for the gradients.
//
// A tile is sixteen blocks of 4 x 4 pixels; lane 4 y + x of a vector is pixel (x, y) of a block, and where the lanes are
// blocks, lane 4 r + c is block (c, r) of the tile.

constexpr int kChunk = 128;  // splats whose local data is kept in the first cache

struct LocalSplat {  // what the inner loop reads
  float u1, u2, v2, log2_opacity, red, green, blue, z;
};

// Lane constants of a tile: x and y of each block's first pixel centre, in the picture.
struct Blocks {
  F x, y;
};

INLINE F column_of_lane() {
  alignas(64) static const float c[16] = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3};
  return load(c);
}
INLINE F row_of_lane() {
  alignas(64) static const float r[16] = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3};
  return load(r);
}

INLINE Blocks blocks_of(const TileList& tile) {
  const F four = splat(4.0f);
  return {fma(four, column_of_lane(), splat(float(tile.column * kTile) + 0.5f)),
          fma(four, row_of_lane(), splat(float(tile.row * kTile) + 0.5f))};
}

// Which blocks the splat's ellipse touches, and u and v at the blocks' first pixels. The least of a convex quadratic over
// a rectangle lies on the edges that face its centre, so two line minima decide exactly.
INLINE unsigned touched_blocks(const float* record, const Blocks& blocks, float* u0, float* v0) {
  const F three = splat(3.0f), zero = splat(0.0f);
  const F u1 = splat(record[U1]), u2 = splat(record[U2]), v2 = splat(record[V2]);
  const F x0 = blocks.x - splat(record[X]), y0 = blocks.y - splat(record[Y]);
  const F x3 = x0 + three, y3 = y0 + three;
  store(u0, fma(u1, x0, u2 * y0));
  store(v0, v2 * y0);
  const F x_edge = max(x0, min(x3, zero)), y_edge = max(y0, min(y3, zero));
  const F y_there = max(y0, min(y3, splat(record[Y_OF_X]) * x_edge));
  const F x_there = max(x0, min(x3, splat(record[X_OF_Y]) * y_edge));
  const F ua = fma(u1, x_edge, u2 * y_there), va = v2 * y_there;
  const F ub = fma(u1, x_there, u2 * y_edge), vb = v2 * y_edge;
  const F least = min(fma(ua, ua, va * va), fma(ub, ub, vb * vb));
  return bits(le(least, splat(record[REACH])));
}

INLINE unsigned inside_lanes(const View& view, const TileList& tile, int block) {
  const int x = tile.column * kTile + 4 * (block & 3), y = tile.row * kTile + 4 * (block >> 2);
  return bits(lt(column_of_lane(), splat(float(view.width - x))) & lt(row_of_lane(), splat(float(view.height - y))));
}

// One splat over one block. `live` lanes have not reached the least transmittance; returns the splat's weight, zero
// where it does not count, and moves `transmittance` and `live` on.
struct Step {
  F u, v, raw, alpha, weight;
  M drawn;
};

INLINE Step step(const LocalSplat& s, F u_row, F v, F columns, F& transmittance, M& live) {
  Step r;
  r.u = fma(splat(s.u1), columns, u_row);
  r.v = v;
  const F p = fnma(r.u, r.u, fnma(v, v, splat(s.log2_opacity)));
  const M strong = ge_where(live, p, splat(kLog2MinAlpha));
  r.raw = exp2(p);
  r.alpha = min(r.raw, splat(kMaxAlpha));
  const F weight = zero_unless(strong, transmittance * r.alpha);
  const F next = transmittance - weight;
  live = gt_where(live, next, splat(kMinTransmittance));
  transmittance = select(live, next, transmittance);
  r.weight = weight;
  r.drawn = strong & live;
  return r;
}

struct BlockState {
  F transmittance, red, green, blue, depth;
  M live;
};

struct LocalChunk {
  alignas(64) LocalSplat splats[kChunk + 1];
  alignas(64) float u0[kChunk + 1][16];
  alignas(64) float v0[kChunk + 1][16];
};

INLINE void load_local(const float* record, LocalSplat& s) {
  s = {record[U1], record[U2], record[V2], record[LOG2], record[RED], record[GREEN], record[BLUE], record[Z]};
}

// Fills `chunk` and gives, for every group of sixteen splats and every block, the bits of the splats that touch it.
INLINE void cull(const TileList& tile, const Blocks& blocks, const float* records, int64_t first, int count,
                 unsigned wanted, LocalChunk& chunk, uint16_t (*touched)[16]) {
  for (int group = 0; group * 16 < count; ++group) {
    alignas(32) uint16_t masks[16] = {};
    const int n = count - group * 16 < 16 ? count - group * 16 : 16;
    for (int k = 0; k < n; ++k) {
      const int i = group * 16 + k;
      const float* record = records + int64_t(tile.positions[first + i]) * kRecord;
      load_local(record, chunk.splats[i]);
      masks[k] = uint16_t(touched_blocks(record, blocks, chunk.u0[i], chunk.v0[i]) & wanted);
    }
    transpose_bits(masks, touched[group]);
  }
}

INLINE void blend_block(const LocalChunk& chunk, const int* list, int count, int block, BlockState& state) {
  const F columns = column_of_lane(), rows = row_of_lane();
  F transmittance = state.transmittance, red = state.red, green = state.green, blue = state.blue, depth = state.depth;
  M live = state.live;
  for (int k = 0; k < count; ++k) {
    const int i = list[k];
    const LocalSplat& s = chunk.splats[i];
    const F u_row = fma(splat(s.u2), rows, splat(chunk.u0[i][block]));
    const F v = fma(splat(s.v2), rows, splat(chunk.v0[i][block]));
    const Step r = step(s, u_row, v, columns, transmittance, live);
    red = fma_where(live, r.weight, splat(s.red), red);
    green = fma_where(live, r.weight, splat(s.green), green);
    blue = fma_where(live, r.weight, splat(s.blue), blue);
    depth = fma_where(live, r.weight, splat(s.z), depth);
  }
  state = {transmittance, red, green, blue, depth, live};
}

INLINE void store_block(const View& view, const TileList& tile, int block, const BlockState& s, const Picture& out) {
  alignas(64) float rgb[3][16], alpha[16], depth[16];
  const F coverage = splat(1.0f) - s.transmittance;
  store(rgb[0], fma(s.transmittance, splat(view.background[0]), s.red));
  store(rgb[1], fma(s.transmittance, splat(view.background[1]), s.green));
  store(rgb[2], fma(s.transmittance, splat(view.background[2]), s.blue));
  store(alpha, coverage);
  store(depth, s.depth / max(coverage, splat(kMinDepthWeight)));
  const int x0 = tile.column * kTile + 4 * (block & 3), y0 = tile.row * kTile + 4 * (block >> 2);
  const int width = view.width - x0 < 4 ? view.width - x0 : 4, height = view.height - y0 < 4 ? view.height - y0 : 4;
  for (int y = 0; y < height; ++y) {
    const int64_t pixel = int64_t(y0 + y) * view.width + x0;
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) out.beauty[3 * (pixel + x) + c] = rgb[c][4 * y + x];
      out.alpha[pixel + x] = alpha[4 * y + x];
      out.depth[pixel + x] = depth[4 * y + x];
    }
  }
}

static int64_t blend(const View& view, const TileList& tile, const float* records, const Picture& out) {
  const F zero = splat(0.0f);
  BlockState states[16];
  unsigned alive = 0;  // blocks with a live pixel
  for (int b = 0; b < 16; ++b) {
    const unsigned inside = inside_lanes(view, tile, b);
    states[b] = {splat(1.0f), zero, zero, zero, zero, mask_of(inside)};
    alive |= unsigned(inside != 0) << b;
  }
  const unsigned present = alive;

  const Blocks blocks = blocks_of(tile);
  LocalChunk chunk;
  alignas(32) uint16_t touched[kChunk / 16][16];
  int list[kChunk + 16];
  int64_t evaluated = 0;
  for (int64_t first = 0; first < tile.count && alive; first += kChunk) {
    const int count = tile.count - first < kChunk ? int(tile.count - first) : kChunk;
    cull(tile, blocks, records, first, count, alive, chunk, touched);
    for (unsigned left = alive; left; left &= left - 1) {
      const int b = __builtin_ctz(left);
      int n = 0;
      for (int group = 0; group * 16 < count; ++group) n += list_bits(touched[group][b], group * 16, list + n);
      evaluated += n;
      blend_block(chunk, list, n, b, states[b]);
      if (!bits(states[b].live)) alive &= ~(1u << b);
    }
  }
  for (unsigned left = present; left; left &= left - 1) {
    const int b = __builtin_ctz(left);
    store_block(view, tile, b, states[b], out);
  }
  return evaluated;
}

// ---- backward

struct PixelGradients {  // of one block
  F red, green, blue, depth;  // dL/d(accumulated channel)
  F rest;                     // what the channels behind the current splat contribute to the loss, linearised
  F transmittance;
  M live;
};

// Reads a block's pixels. Expected depth is D / A, so its gradient goes to D and to A.
INLINE void load_pixels(const View& view, const TileList& tile, int block, const Picture& picture,
                        const PictureGradients& d, PixelGradients& g) {
  alignas(64) float in[10][16] = {};
  const int x0 = tile.column * kTile + 4 * (block & 3), y0 = tile.row * kTile + 4 * (block >> 2);
  const int width = view.width - x0 < 4 ? view.width - x0 : 4, height = view.height - y0 < 4 ? view.height - y0 : 4;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const int64_t pixel = int64_t(y0 + y) * view.width + x0 + x;
      const int lane = 4 * y + x;
      for (int c = 0; c < 3; ++c) {
        in[c][lane] = d.beauty[3 * pixel + c];
        in[5 + c][lane] = picture.beauty[3 * pixel + c];
      }
      in[3][lane] = d.alpha[pixel];
      in[4][lane] = d.depth[pixel];
      in[8][lane] = picture.alpha[pixel];
      in[9][lane] = picture.depth[pixel];
    }
  const F alpha = load(in[8]), depth = load(in[9]), least = splat(kMinDepthWeight);
  const F weight = max(alpha, least);
  g.red = load(in[0]);
  g.green = load(in[1]);
  g.blue = load(in[2]);
  g.depth = load(in[4]) / weight;
  const F d_alpha = load(in[3]) - zero_unless(gt(alpha, least), g.depth * depth);
  const F background = splat(1.0f) - alpha;
  g.rest = fma(g.red, load(in[5]), fma(g.green, load(in[6]), g.blue * load(in[7])));
  g.rest = fma(g.depth, depth * weight, g.rest) - d_alpha * background;
  g.transmittance = splat(1.0f);
}

template <bool kAbsolute>
static void blend_backward_tile(const View& view, const TileList& tile, const float* records, const Picture& picture,
                                const PictureGradients& d, const PairSums& out) {
  constexpr int kSums = kAbsolute ? 12 : 10;
  const F one = splat(1.0f), zero = splat(0.0f), columns = column_of_lane(), rows = row_of_lane();
  PixelGradients pixels[16];
  unsigned alive = 0;
  for (int b = 0; b < 16; ++b) {
    const unsigned inside = inside_lanes(view, tile, b);
    if (!inside) continue;
    load_pixels(view, tile, b, picture, d, pixels[b]);
    pixels[b].live = mask_of(inside);
    alive |= 1u << b;
  }

  const Blocks blocks = blocks_of(tile);
  for (int64_t i = 0; i < tile.count; ++i) {
    const float* record = records + int64_t(tile.positions[i]) * kRecord;
    alignas(64) float u0[16], v0[16];
    unsigned left = touched_blocks(record, blocks, u0, v0) & alive;
    out.touched[tile.slots[i]] = left != 0;
    if (!left) continue;
    LocalSplat s;
    load_local(record, s);
    F sums[kSums];
    for (F& sum : sums) sum = zero;
    for (; left; left &= left - 1) {
      const int b = __builtin_ctz(left);
      PixelGradients& g = pixels[b];
      const F u_row = fma(splat(s.u2), rows, splat(u0[b])), v = fma(splat(s.v2), rows, splat(v0[b]));
      const Step r = step(s, u_row, v, columns, g.transmittance, g.live);
      if (!bits(g.live)) alive &= ~(1u << b);
      const F weight = zero_unless(r.drawn, r.weight);
      const F value = fma(g.red, splat(s.red), fma(g.green, splat(s.green), fma(g.blue, splat(s.blue), g.depth * splat(s.z))));
      g.rest = fnma(weight, value, g.rest);
      F h = fnma(g.rest, r.alpha / (one - r.alpha), weight * value);
      h = zero_unless(le_where(r.drawn, r.raw, splat(kMaxAlpha)), h);
      const F hu = h * r.u, hv = h * r.v;
      sums[H] = sums[H] + h;
      sums[HU] = sums[HU] + hu;
      sums[HV] = sums[HV] + hv;
      sums[HUU] = fma(hu, r.u, sums[HUU]);
      sums[HUV] = fma(hu, r.v, sums[HUV]);
      sums[HVV] = fma(hv, r.v, sums[HVV]);
      sums[D_RED] = fma(weight, g.red, sums[D_RED]);
      sums[D_GREEN] = fma(weight, g.green, sums[D_GREEN]);
      sums[D_BLUE] = fma(weight, g.blue, sums[D_BLUE]);
      sums[D_Z] = fma(weight, g.depth, sums[D_Z]);
      if constexpr (kAbsolute) {
        const F two_ln2 = splat(2.0f * 0.6931471805599453f);
        sums[kSums - 2] = sums[kSums - 2] + abs(two_ln2 * (splat(s.u1) * hu));
        sums[kSums - 1] = sums[kSums - 1] + abs(two_ln2 * fma(splat(s.u2), hu, splat(s.v2) * hv));
      }
    }
    store(out.slots + int64_t(tile.slots[i]) * kSlot, sum_lanes(sums));
  }
}

static void blend_backward(const View& view, const TileList& tile, const float* records, const Picture& picture,
                           const PictureGradients& d, bool absolute, const PairSums& out) {
  if (absolute)
    blend_backward_tile<true>(view, tile, records, picture, d, out);
  else
    blend_backward_tile<false>(view, tile, records, picture, d, out);
}

static int64_t ceiling(int64_t rounds, float* sink) {
  LocalChunk chunk;
  int list[kChunk];
  for (int i = 0; i < kChunk; ++i) {
    list[i] = i;
    chunk.splats[i] = {0.3f, 0.1f, 0.2f, -6.0f, 0.5f, 0.4f, 0.3f, 2.0f};
    for (int b = 0; b < 16; ++b) {
      chunk.u0[i][b] = 0.01f * float(b);
      chunk.v0[i][b] = 0.02f * float(b);
    }
  }
  const F zero = splat(0.0f);
  int64_t evaluated = 0;
  F total = zero;
  for (int64_t k = 0; k < rounds; ++k) {
    BlockState state = {splat(1.0f), zero, zero, zero, zero, mask_of(0xffff)};
    blend_block(chunk, list, kChunk, int(k & 15), state);
    evaluated += kChunk;
    total = total + state.red;
  }
  store(sink, total);
  return evaluated;
}
