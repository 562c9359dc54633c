// Bounds of values that come from outside.

export function within(value: i32, low: i32, high: i32): bool {
  return value >= low && value <= high;
}

/** Not NaN, and no larger than `most`. */
export function finite(value: f32, most: f32): bool {
  return abs<f32>(value) <= most;
}

/** The same for all f32 of `[start, end)`. */
export function allFinite(start: usize, end: usize, most: f32): bool {
  for (let at = start; at < end; at += 4) if (!finite(load<f32>(at), most)) return false;
  return true;
}
