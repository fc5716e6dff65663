// Display-referred sRGB to linear light and back (IEC 61966-2-1), for averaging pictures as light falls on film.

INLINE F light_of(F display) {
  const F base = (display + splat(0.055f)) * splat(float(1.0 / 1.055));
  const F bright = exp2(splat(2.4f) * log2(base));
  const F light = select(le(display, splat(0.04045f)), display * splat(float(1.0 / 12.92)), bright);
  return select(finite(display), light, display);  // what is no number stays none
}

INLINE F display_of(F light) {
  const F bright = fma(splat(1.055f), exp2(splat(float(1.0 / 2.4)) * log2(max(light, splat(1e-6f)))), splat(-0.055f));
  const F display = select(le(light, splat(0.0031308f)), light * splat(12.92f), bright);
  return select(finite(light), display, light);
}

// light += the light of `display`
static void add_light(const float* display, float* light, int64_t count) {
  for (int64_t i = 0; i < count; i += 16) {
    const int n = count - i < 16 ? int(count - i) : 16;
    store_first(light + i, load_first(light + i, n) + light_of(load_first(display + i, n)), n);
  }
}

// light becomes what a display shows of its `scale`-fold
static void to_display(float* light, float scale, int64_t count) {
  for (int64_t i = 0; i < count; i += 16) {
    const int n = count - i < 16 ? int(count - i) : 16;
    store_first(light + i, display_of(load_first(light + i, n) * splat(scale)), n);
  }
}
