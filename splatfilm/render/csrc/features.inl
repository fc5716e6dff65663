// What a frame may hold besides its beauty: weighted sums of any channels, with their gradients, and two more depths.
//
// Each is a replay of the tile: the same steps in the same order as in `blend`, so the weights are the beauty's to the
// bit. Channels go in groups of `kFeatureGroup`, which bounds the registers and the memory, however many there are.

// Where a splat's numbers are not finite they count as 0: a picture never holds what is no number.
struct FeatureChunk {
  alignas(64) float of[kChunk][kFeatureGroup];
};

INLINE void load_features(const TileList& tile, const float* records, const FeatureSource& source, int64_t first, int count,
                          FeatureChunk& chunk) {
  for (int i = 0; i < count; ++i) {
    const float* row = source.values + int64_t(id_of(records + int64_t(tile.positions[first + i]) * kRecord)) * source.channels;
    for (int c = 0; c < kFeatureGroup; ++c) {
      const float value = c < source.count ? row[source.first + c] : 0.0f;
      chunk.of[i][c] = value - value == 0.0f ? value : 0.0f;
    }
  }
}

struct FeatureState {
  F sums[kFeatureGroup], transmittance;
  M live;
};

INLINE void blend_features_block(const LocalChunk& chunk, const FeatureChunk& features, const int* list, int count, int block,
                                 FeatureState& state) {
  const F xs = xs_of(block), ys = ys_of(block);
  FeatureState s = state;
  for (int k = 0; k < count;) {
    const int pause = count - k < kPatience ? count : k + kPatience;
    for (; k < pause; ++k) {
      const int i = list[k];
      const Step r = step(chunk, i, xs, ys, s.transmittance, s.live);
      UNROLL
      for (int c = 0; c < kFeatureGroup; ++c) s.sums[c] = fma_where(s.live, r.weight, splat(features.of[i][c]), s.sums[c]);
    }
    if (!bits(s.live)) break;
  }
  state = s;
}

// Calls visit(pixel, lane) for the pixels of a block that lie in the picture.
template <typename Visit>
INLINE void pixels_of_block(const View& view, const TileList& tile, int block, const Visit& visit) {
  const int x0 = tile.column * kTile + 4 * (block & 3), y0 = tile.row * kTile + 4 * (block >> 2);
  for (int y = 0; y < 4 && y0 + y < view.height; ++y)
    for (int x = 0; x < 4 && x0 + x < view.width; ++x) visit(int64_t(y0 + y) * view.width + x0 + x, 4 * y + x);
}

// Runs a tile front to back: work(chunk, first, count) when a chunk is loaded, then run(chunk, list, count, block) for
// each block with live pixels, which returns whether some are left.
template <typename Work, typename Run>
INLINE void replay(const View& view, const TileList& tile, const float* records, const Work& work, const Run& run) {
  unsigned alive = 0;
  for (int b = 0; b < 16; ++b) alive |= unsigned(inside_lanes(view, tile, b) != 0) << b;
  LocalChunk chunk;
  uint16_t touched[kChunk / 16][16];
  int list[kChunk + 16];
  for (int64_t first = 0; first < tile.count && alive; first += kChunk) {
    const int count = tile.count - first < kChunk ? int(tile.count - first) : kChunk;
    load_chunk(view, tile, records, first, count, chunk, touched);
    work(first, count);
    for (unsigned left = alive; left; left &= left - 1) {
      const int b = __builtin_ctz(left);
      int n = 0;
      for (int group = 0; group * 16 < count; ++group) n += list_bits(touched[group][b], group * 16, list + n);
      if (!run(chunk, list, n, b)) alive &= ~(1u << b);
    }
  }
}

static void blend_features(const View& view, const TileList& tile, const float* records, const FeatureSource& source,
                           float* out) {
  FeatureState states[16];
  for (int b = 0; b < 16; ++b) {
    for (F& sum : states[b].sums) sum = splat(0.0f);
    states[b].transmittance = splat(1.0f);
    states[b].live = mask_of(inside_lanes(view, tile, b));
  }
  FeatureChunk features;
  replay(
      view, tile, records,
      [&](int64_t first, int count) { load_features(tile, records, source, first, count, features); },
      [&](const LocalChunk& chunk, const int* list, int count, int block) {
        blend_features_block(chunk, features, list, count, block, states[block]);
        return bits(states[block].live) != 0;
      });
  for (int b = 0; b < 16; ++b) {
    alignas(64) float sums[kFeatureGroup][16];
    for (int c = 0; c < kFeatureGroup; ++c) store(sums[c], states[b].sums[c]);
    pixels_of_block(view, tile, b, [&](int64_t pixel, int lane) {
      for (int c = 0; c < source.count; ++c) out[pixel * source.channels + source.first + c] = sums[c][lane];
    });
  }
}

// The median depth is the camera z of the splat that brings transmittance to a half or below; the front depth that of the
// first splat drawn with an alpha of at least kFrontAlpha. 0 where there is none.
static void blend_depths(const View& view, const TileList& tile, const float* records, const DepthPictures& out) {
  struct State {
    F transmittance, median, front;
    M live;
  };
  const F zero = splat(0.0f);
  State states[16];
  for (int b = 0; b < 16; ++b) states[b] = {splat(1.0f), zero, zero, mask_of(inside_lanes(view, tile, b))};
  replay(
      view, tile, records, [](int64_t, int) {},
      [&](const LocalChunk& chunk, const int* list, int count, int block) {
        const F xs = xs_of(block), ys = ys_of(block), half = splat(0.5f);
        State s = states[block];
        for (int k = 0; k < count; ++k) {
          const F before = s.transmittance, z = splat(chunk.z[list[k]]);
          const Step r = step(chunk, list[k], xs, ys, s.transmittance, s.live);
          s.median = select(gt(before, half) & le_where(r.drawn, s.transmittance, half), z, s.median);
          s.front = select(le(s.front, zero) & ge_where(r.drawn, r.alpha, splat(kFrontAlpha)), z, s.front);
        }
        states[block] = s;
        return bits(s.live) != 0;
      });
  for (int b = 0; b < 16; ++b) {
    alignas(64) float median[16], front[16];
    store(median, states[b].median);
    store(front, states[b].front);
    pixels_of_block(view, tile, b, [&](int64_t pixel, int lane) {
      out.median[pixel] = median[lane];
      out.front[pixel] = front[lane];
    });
  }
}

struct FeaturePixels {  // of one block
  F d[kFeatureGroup];   // dL/d(accumulated channel)
  F rest;               // what the splats behind the current one contribute to the loss, linearised
  F transmittance;
  F xs, ys;
  M live;
};

INLINE void load_feature_pixels(const View& view, const TileList& tile, int block, const FeatureSource& source,
                                const float* picture, const float* d, FeaturePixels& g) {
  alignas(64) float in[kFeatureGroup][16] = {}, rest[16] = {};
  pixels_of_block(view, tile, block, [&](int64_t pixel, int lane) {
    for (int c = 0; c < source.count; ++c) {
      const int64_t at = pixel * source.channels + source.first + c;
      in[c][lane] = d[at];
      rest[lane] += d[at] * picture[at];
    }
  });
  UNROLL
  for (int c = 0; c < kFeatureGroup; ++c) g.d[c] = load(in[c]);
  g.rest = load(rest);
  g.transmittance = splat(1.0f);
  g.xs = xs_of(block);
  g.ys = ys_of(block);
}

// Adds the group's share to the moments in the pairs' slots, which `blend_backward` has written, and writes the sums of
// weight times dL/d(channel) to `channel_sums`, kFeatureGroup a pair; both only where the pair is touched, which this
// finds as `blend_backward` does.
static void blend_features_backward(const View& view, const TileList& tile, const float* records, const FeatureSource& source,
                                    const float* picture, const float* d, const PairSums& out, float* channel_sums) {
  constexpr int kMoments = HVV + 1;
  const F one = splat(1.0f), zero = splat(0.0f);
  FeaturePixels pixels[16];
  unsigned alive = 0;
  for (int b = 0; b < 16; ++b) {
    const unsigned inside = inside_lanes(view, tile, b);
    pixels[b].live = mask_of(inside);
    if (!inside) continue;
    load_feature_pixels(view, tile, b, source, picture, d, pixels[b]);
    alive |= 1u << b;
  }
  LocalChunk chunk;
  FeatureChunk features;
  uint16_t touched[kChunk / 16][16], blocks[16];
  for (int64_t i = 0; i < tile.count; ++i) {
    const int k = int(i % kChunk);
    if (k == 0) {
      const int count = tile.count - i < kChunk ? int(tile.count - i) : kChunk;
      load_chunk(view, tile, records, i, count, chunk, touched);
      load_features(tile, records, source, i, count, features);
    }
    if (k % 16 == 0) {
      transpose_bits(touched[k / 16], blocks);
      for (int b = 0; b < 16; ++b)
        if (!bits(pixels[b].live)) alive &= ~(1u << b);
    }
    unsigned left = blocks[k % 16] & alive;
    if (!left) continue;
    F sums[kMoments + kFeatureGroup];
    UNROLL
    for (F& sum : sums) sum = zero;
    for (; left; left &= left - 1) {
      FeaturePixels& g = pixels[__builtin_ctz(left)];
      const Step r = step(chunk, k, g.xs, g.ys, g.transmittance, g.live);
      const F weight = zero_unless(r.drawn, r.weight);
      F value = zero;
      UNROLL
      for (int c = 0; c < kFeatureGroup; ++c) value = fma(g.d[c], splat(features.of[k][c]), value);
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
      UNROLL
      for (int c = 0; c < kFeatureGroup; ++c) sums[kMoments + c] = fma(weight, g.d[c], sums[kMoments + c]);
    }
    const int64_t pair = tile.first_slot + i;
    const F total = sum_lanes(sums), before = load(out.slots + pair * kSlot);
    alignas(64) float row[16];
    store(row, total);
    store(out.slots + pair * kSlot, select(mask_of((1u << kMoments) - 1), before + total, before));
    for (int c = 0; c < kFeatureGroup; ++c) channel_sums[pair * kFeatureGroup + c] = row[kMoments + c];
  }
}
