// Transposing a 16 x 16 matrix of bits, for both x86 instruction sets.
#pragma once


// Bit j of out[i] = bit i of in[j].
INLINE void transpose_bits(const uint16_t* in, uint16_t* out) {
  const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in));
  const __m256i split = _mm256_shuffle_epi8(
      words, _mm256_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15,  //
                              0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
  __m256i bytes = _mm256_permute4x64_epi64(split, 0xd8);  // sixteen low bytes, then sixteen high bytes
  for (int b = 7; b >= 0; --b) {
    const uint32_t m = uint32_t(_mm256_movemask_epi8(bytes));
    out[b] = uint16_t(m);
    out[b + 8] = uint16_t(m >> 16);
    bytes = _mm256_add_epi8(bytes, bytes);
  }
}
