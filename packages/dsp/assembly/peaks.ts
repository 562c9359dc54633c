// Two-dimensional box maximum over a spectrogram that arrives row by row. Rows are f32, padded to a multiple of 16 bytes.

/**
 * maxima[i] = largest of values[i - radius .. i + radius], borders truncated; a NaN counts as minus infinity.
 * The window of width w = 2 radius + 1 is built from windows of 1, 2, 4 ... up to the largest power of two in w, of
 * which two that overlap cover it. `work` has count + 2 radius + 8 values, of which the borders are overwritten too.
 */
export function rowMaxima(values: usize, maxima: usize, work: usize, count: i32, radius: i32): void {
  const lowest = f32x4.splat(-Infinity);
  const bytes = usize(count) << 2;
  const border = usize(radius) << 2;
  const total = bytes + 2 * border;
  // The row with its borders; the end first, then the beginning, so that padding lanes are never kept.
  for (let at: usize = 0; at < bytes; at += 16) {
    const x = v128.load(values + at);
    v128.store(work + border + at, v128.bitselect(x, lowest, f32x4.eq(x, x)));
  }
  for (let at: usize = 0; at < border + 32; at += 4) store<f32>(work + border + bytes + at, -Infinity);
  for (let at: usize = 0; at < border; at += 4) store<f32>(work + at, -Infinity);
  const width = (usize(2 * radius + 1)) << 2;
  let span: usize = 4;
  while (span << 1 <= width) {
    // In place: a later value reads only what is not yet overwritten, since at + span >= at + 4 and lanes are loaded first.
    for (let at: usize = 0; at < total; at += 16) {
      v128.store(work + at, f32x4.pmax(v128.load(work + at), v128.load(work + at + span)));
    }
    span <<= 1;
  }
  const shift = width - span;
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(maxima + at, f32x4.pmax(v128.load(work + at), v128.load(work + at + shift)));
  }
}

/**
 * Writes the indices (i32, ascending) of the values that are above `threshold` and not below any value of `rows` rows
 * of maxima, which lie one behind the other; returns how many. Equal values of a plateau all count.
 */
export function boxPeaks(
  maxima: usize,
  rowBytes: usize,
  rows: i32,
  values: usize,
  count: i32,
  threshold: f32,
  peaks: usize,
): i32 {
  const low = f32x4.splat(threshold);
  let found = 0;
  for (let at: usize = 0; at < usize(count) << 2; at += 16) {
    const x = v128.load(values + at);
    let candidates = i32x4.bitmask(f32x4.gt(x, low));
    if (candidates == 0) continue;
    let top = v128.load(maxima + at);
    let row = maxima + at + rowBytes;
    for (let i = 1; i < rows; i++) {
      top = f32x4.pmax(top, v128.load(row));
      row += rowBytes;
    }
    candidates &= i32x4.bitmask(f32x4.ge(x, top));
    while (candidates != 0) {
      const index = i32(at >> 2) + ctz(candidates);
      if (index < count) {
        store<i32>(peaks + (usize(found) << 2), index);
        found++;
      }
      candidates &= candidates - 1;
    }
  }
  return found;
}
