// Blending a tile front to back, and its exact replay for the gradients.
//
// A tile is sixteen blocks of 4 x 4 pixels; lane 4 y + x of a vector is pixel (x, y) of a block, and where the lanes are
// blocks, lane 4 r + c is block (c, r) of the tile.

constexpr int kChunk = 256;  // splats whose local data is kept in the first cache
constexpr int kGroupsAhead = 3;  // groups of sixteen records between the request for them and their use
constexpr int kPatience = 32;  // splats between looks at whether a block is finished
constexpr float kMiddle = 7.5f;  // of a tile: pixel centres count from its centre, which keeps u and v exact

INLINE F column_of_lane() {
  alignas(64) static const float c[16] = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3};
  return load(c);
}
INLINE F row_of_lane() {
  alignas(64) static const float r[16] = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3};
  return load(r);
}
// Pixel centres of a block, from the tile's centre.
INLINE F xs_of(int block) { return column_of_lane() + splat(float(4 * (block & 3)) - kMiddle); }
INLINE F ys_of(int block) { return row_of_lane() + splat(float(4 * (block >> 2)) - kMiddle); }

// A chunk of a tile's splats, a field at a time: what the inner loops read. At pixel (x, y) from the tile's centre,
// u = u1 x + u2 y + u0 and v = v2 y + v0.
struct LocalChunk {
  alignas(64) float u1[kChunk], u2[kChunk], u0[kChunk], v2[kChunk], v0[kChunk], log2_opacity[kChunk];
  alignas(64) float red[kChunk], green[kChunk], blue[kChunk], z[kChunk];
};

// Which of sixteen splats touch each block: bit k of touched[b] for splat k and block b. Each row of blocks is a slab that
// cuts the ellipse; the cut is convex, so it touches the blocks between its extremes in x and no others.
INLINE void touched_blocks(const F (&record)[16], F x, F y, unsigned real, uint16_t* touched) {
  const F zero = splat(0.0f), three = splat(3.0f), per_u = splat(1.0f) / record[U1];
  const F y_at_right = record[Y_OF_X] * record[EXTENT_X], y_at_left = zero - y_at_right;
  UNROLL
  for (int row = 0; row < 4; ++row) {
    const F top = splat(float(4 * row) - kMiddle) - y, bottom = top + three;
    const F y_right = max(top, min(bottom, y_at_right)), y_left = max(top, min(bottom, y_at_left));
    const F v_right = record[V2] * y_right, v_left = record[V2] * y_left;
    // Where the slab misses the ellipse the roots are not numbers and no comparison holds.
    const F right = fma(sqrt(fnma(v_right, v_right, record[REACH])), per_u, fma(record[X_OF_Y], y_right, x));
    const F left = fnma(sqrt(fnma(v_left, v_left, record[REACH])), per_u, fma(record[X_OF_Y], y_left, x));
    UNROLL
    for (int column = 0; column < 4; ++column) {
      const float first = float(4 * column) - kMiddle;
      touched[4 * row + column] = uint16_t(bits(ge_where(ge(right, splat(first)), splat(first + 3.0f), left)) & real);
    }
  }
}

// Reads `count` splats of the tile's list into `chunk`; touched[group][block] says who touches what.
INLINE void load_chunk(const View& view, const TileList& tile, const float* records, int64_t first, int count,
                       LocalChunk& chunk, uint16_t (*touched)[16]) {
  const F middle_x = splat(float(view.left + tile.column * kTile) + 8.0f);
  const F middle_y = splat(float(view.top + tile.row * kTile) + 8.0f);
  const int32_t* positions = tile.positions + first;
  const int rest = tile.count - first < 2 * kChunk ? int(tile.count - first) : 2 * kChunk;
  for (int group = 0; 16 * group < count; ++group) {
    const int n = count - 16 * group < 16 ? count - 16 * group : 16;
    // Records lie anywhere: ask for those of the group after the next while this one is read.
    for (int k = 16 * (group + kGroupsAhead), end = k + 16 < rest ? k + 16 : rest; k < end; ++k)
      __builtin_prefetch(records + int64_t(positions[k]) * kRecord);
    F record[16];
    UNROLL
    for (int k = 0; k < 16; ++k) record[k] = load(records + int64_t(positions[16 * group + (k < n ? k : 0)]) * kRecord);
    transpose(record);
    const F x = record[X] - middle_x, y = record[Y] - middle_y;
    const int at = 16 * group;
    store(chunk.u1 + at, record[U1]);
    store(chunk.u2 + at, record[U2]);
    store(chunk.u0 + at, splat(0.0f) - fma(record[U1], x, record[U2] * y));
    store(chunk.v2 + at, record[V2]);
    store(chunk.v0 + at, splat(0.0f) - record[V2] * y);
    store(chunk.log2_opacity + at, record[LOG2]);
    store(chunk.red + at, record[RED]);
    store(chunk.green + at, record[GREEN]);
    store(chunk.blue + at, record[BLUE]);
    store(chunk.z + at, record[Z]);
    touched_blocks(record, x, y, (1u << n) - 1, touched[group]);
  }
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

INLINE Step step(const LocalChunk& c, int i, F xs, F ys, F& transmittance, M& live) {
  Step r;
  r.u = fma(splat(c.u1[i]), xs, fma(splat(c.u2[i]), ys, splat(c.u0[i])));
  r.v = fma(splat(c.v2[i]), ys, splat(c.v0[i]));
  const F p = fnma(r.u, r.u, fnma(r.v, r.v, splat(c.log2_opacity[i])));
  const M strong = ge_where(live, p, splat(kLog2MinAlpha));
  r.raw = exp2(p);
  r.alpha = min(r.raw, splat(kMaxAlpha));
  r.weight = zero_unless(strong, transmittance * r.alpha);
  const F next = transmittance - r.weight;
  live = gt_where(live, next, splat(kMinTransmittance));
  transmittance = select(live, next, transmittance);
  r.drawn = strong & live;
  return r;
}

struct BlockState {
  F transmittance, red, green, blue, depth;
  M live;
};

INLINE void blend_block(const LocalChunk& chunk, const int* list, int count, int block, BlockState& state) {
  const F xs = xs_of(block), ys = ys_of(block);
  F transmittance = state.transmittance, red = state.red, green = state.green, blue = state.blue, depth = state.depth;
  M live = state.live;
  for (int k = 0; k < count;) {
    const int pause = count - k < kPatience ? count : k + kPatience;
    for (; k < pause; ++k) {
      const int i = list[k];
      const Step r = step(chunk, i, xs, ys, transmittance, live);
      red = fma_where(live, r.weight, splat(chunk.red[i]), red);
      green = fma_where(live, r.weight, splat(chunk.green[i]), green);
      blue = fma_where(live, r.weight, splat(chunk.blue[i]), blue);
      depth = fma_where(live, r.weight, splat(chunk.z[i]), depth);
    }
    if (!bits(live)) break;
  }
  state = {transmittance, red, green, blue, depth, live};
}

INLINE void store_block(const View& view, const TileList& tile, int block, const BlockState& s, const Picture& out) {
  alignas(64) float rgb[48], alpha[16], depth[16];
  const F coverage = splat(1.0f) - s.transmittance;
  interleave(fma(s.transmittance, splat(view.background[0]), s.red), fma(s.transmittance, splat(view.background[1]), s.green),
             fma(s.transmittance, splat(view.background[2]), s.blue), rgb);
  store(alpha, coverage);
  store(depth, s.depth / max(coverage, splat(kMinDepthWeight)));
  const int x0 = tile.column * kTile + 4 * (block & 3), y0 = tile.row * kTile + 4 * (block >> 2);
  const int width = view.width - x0 < 4 ? view.width - x0 : 4, height = view.height - y0 < 4 ? view.height - y0 : 4;
  for (int y = 0; y < height; ++y) {
    const int64_t pixel = int64_t(y0 + y) * view.width + x0;
    if (width == 4) {  // a fixed size, which compiles to a few moves
      __builtin_memcpy(out.beauty + 3 * pixel, rgb + 12 * y, 48);
      __builtin_memcpy(out.alpha + pixel, alpha + 4 * y, 16);
      __builtin_memcpy(out.depth + pixel, depth + 4 * y, 16);
      continue;
    }
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) out.beauty[3 * (pixel + x) + c] = rgb[12 * y + 3 * x + c];
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

  LocalChunk chunk;
  uint16_t touched[kChunk / 16][16];
  int list[kChunk + 16];
  int64_t evaluated = 0;
  for (int64_t first = 0; first < tile.count && alive; first += kChunk) {
    const int count = tile.count - first < kChunk ? int(tile.count - first) : kChunk;
    load_chunk(view, tile, records, first, count, chunk, touched);
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
  F xs, ys;  // pixel centres from the tile's
  M live;
};

// Sixteen pixels of a picture of `channels` floats a pixel, from `picture`, which points at the block's first; lanes outside
// the picture are zero, and so is a picture that is not there.
INLINE void read_block(const View& view, const float* picture, int channels, int width, int height, float* out) {
  if (!picture) return;
  for (int y = 0; y < height; ++y) {
    const float* row = picture + int64_t(y) * view.width * channels;
    float* to = out + 4 * y * channels;
    if (width == 4) {  // fixed sizes, which compile to a few moves
      if (channels == 3)
        __builtin_memcpy(to, row, 48);
      else
        __builtin_memcpy(to, row, 16);
      continue;
    }
    for (int k = 0; k < width * channels; ++k) to[k] = row[k];
  }
}

// Reads a block's pixels. Expected depth is D / A, so its gradient goes to D and to A.
INLINE void load_pixels(const View& view, const TileList& tile, int block, const Picture& picture,
                        const PictureGradients& d, PixelGradients& g) {
  alignas(64) float d_beauty[48] = {}, beauty[48] = {}, d_alpha_in[16] = {}, d_depth[16] = {}, alpha_in[16] = {}, depth_in[16] = {};
  const int x0 = tile.column * kTile + 4 * (block & 3), y0 = tile.row * kTile + 4 * (block >> 2);
  const int width = view.width - x0 < 4 ? view.width - x0 : 4, height = view.height - y0 < 4 ? view.height - y0 : 4;
  const int64_t first = int64_t(y0) * view.width + x0;
  read_block(view, d.beauty ? d.beauty + 3 * first : nullptr, 3, width, height, d_beauty);
  read_block(view, picture.beauty + 3 * first, 3, width, height, beauty);
  read_block(view, d.alpha ? d.alpha + first : nullptr, 1, width, height, d_alpha_in);
  read_block(view, d.depth ? d.depth + first : nullptr, 1, width, height, d_depth);
  read_block(view, picture.alpha + first, 1, width, height, alpha_in);
  read_block(view, picture.depth + first, 1, width, height, depth_in);
  alignas(64) float split[6][16];
  for (int lane = 0; lane < 16; ++lane)
    for (int c = 0; c < 3; ++c) {
      split[c][lane] = d_beauty[3 * lane + c];
      split[3 + c][lane] = beauty[3 * lane + c];
    }
  const F alpha = load(alpha_in), depth = load(depth_in), least = splat(kMinDepthWeight);
  const F weight = max(alpha, least);
  g.red = load(split[0]);
  g.green = load(split[1]);
  g.blue = load(split[2]);
  g.depth = load(d_depth) / weight;
  const F d_alpha = load(d_alpha_in) - zero_unless(gt(alpha, least), g.depth * depth);
  const F background = splat(1.0f) - alpha;
  g.rest = fma(g.red, load(split[3]), fma(g.green, load(split[4]), g.blue * load(split[5])));
  g.rest = fma(g.depth, depth * weight, g.rest) - d_alpha * background;
  g.transmittance = splat(1.0f);
  g.xs = xs_of(block);
  g.ys = ys_of(block);
}

// Without a gradient of depth its terms are zeros: leaving them out changes no bit.
template <bool kAbsolute, bool kDepth>
static void blend_backward_tile(const View& view, const TileList& tile, const float* records, const Picture& picture,
                                const PictureGradients& d, const PairSums& out) {
  constexpr int kSums = kAbsolute ? 12 : 10;
  const F one = splat(1.0f), zero = splat(0.0f);
  PixelGradients pixels[16];
  unsigned alive = 0;
  for (int b = 0; b < 16; ++b) {
    const unsigned inside = inside_lanes(view, tile, b);
    pixels[b].live = mask_of(inside);
    if (!inside) continue;
    load_pixels(view, tile, b, picture, d, pixels[b]);
    alive |= 1u << b;
  }

  LocalChunk chunk;
  uint16_t touched[kChunk / 16][16], blocks[16];
  for (int64_t i = 0; i < tile.count; ++i) {
    const int k = int(i % kChunk);
    if (k == 0) {
      const int count = tile.count - i < kChunk ? int(tile.count - i) : kChunk;
      load_chunk(view, tile, records, i, count, chunk, touched);
    }
    // Only now and then, so that what to do next does not wait for the arithmetic before it.
    if (k % 16 == 0) {
      transpose_bits(touched[k / 16], blocks);
      UNROLL
      for (int b = 0; b < 16; ++b)
        if (!bits(pixels[b].live)) alive &= ~(1u << b);
    }
    const int64_t slot = tile.first_slot + i;
    unsigned left = blocks[k % 16] & alive;
    out.touched[slot] = left != 0;
    if (!left) continue;
    F sums[kSums];
    UNROLL
    for (F& sum : sums) sum = zero;
    for (; left; left &= left - 1) {
      PixelGradients& g = pixels[__builtin_ctz(left)];
      const Step r = step(chunk, k, g.xs, g.ys, g.transmittance, g.live);
      const F weight = zero_unless(r.drawn, r.weight);
      const F of_depth = kDepth ? g.depth * splat(chunk.z[k]) : zero;
      const F value = fma(g.red, splat(chunk.red[k]),
                          fma(g.green, splat(chunk.green[k]), fma(g.blue, splat(chunk.blue[k]), of_depth)));
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
      if constexpr (kDepth) sums[D_Z] = fma(weight, g.depth, sums[D_Z]);
      if constexpr (kAbsolute) {
        const F two_ln2 = splat(2.0f * 0.6931471805599453f);
        sums[kSums - 2] = sums[kSums - 2] + abs(two_ln2 * (splat(chunk.u1[k]) * hu));
        sums[kSums - 1] = sums[kSums - 1] + abs(two_ln2 * fma(splat(chunk.u2[k]), hu, splat(chunk.v2[k]) * hv));
      }
    }
    store(out.slots + slot * kSlot, sum_lanes(sums));
  }
}

static void blend_backward(const View& view, const TileList& tile, const float* records, const Picture& picture,
                           const PictureGradients& d, bool absolute, const PairSums& out) {
  if (absolute)
    d.depth ? blend_backward_tile<true, true>(view, tile, records, picture, d, out)
            : blend_backward_tile<true, false>(view, tile, records, picture, d, out);
  else
    d.depth ? blend_backward_tile<false, true>(view, tile, records, picture, d, out)
            : blend_backward_tile<false, false>(view, tile, records, picture, d, out);
}

static int64_t ceiling(int64_t rounds, float* sink) {
  constexpr int kSplats = 128;
  LocalChunk chunk;
  int list[kSplats];
  const F values[10] = {splat(0.1f), splat(0.05f), splat(0.2f), splat(0.1f), splat(0.3f), splat(-6.0f), splat(0.5f), splat(0.4f), splat(0.3f), splat(2.0f)};
  float* fields[10] = {chunk.u1, chunk.u2, chunk.u0, chunk.v2, chunk.v0, chunk.log2_opacity, chunk.red, chunk.green, chunk.blue, chunk.z};
  for (int i = 0; i < kSplats; ++i) list[i] = i;
  for (int i = 0; i < kSplats; i += 16)
    for (int k = 0; k < 10; ++k) store(fields[k] + i, values[k]);
  const F zero = splat(0.0f);
  int64_t evaluated = 0;
  F total = zero;
  for (int64_t k = 0; k < rounds; ++k) {
    BlockState state = {splat(1.0f), zero, zero, zero, zero, mask_of(0xffff)};
    blend_block(chunk, list, kSplats, int(k & 15), state);
    evaluated += kSplats;
    total = total + state.red;
  }
  store(sink, total);
  return evaluated;
}
