/** Reads `bytes` bytes (a multiple of 64) with four accumulators: the floor that memory sets for any kernel over as many weights. */
export function readThrough(address: usize, bytes: i32): i32 {
  let a = i32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (const end = address + usize(u32(bytes)); address < end; address += 64) {
    a = v128.xor(a, v128.load(address));
    b = v128.xor(b, v128.load(address, 16));
    c = v128.xor(c, v128.load(address, 32));
    d = v128.xor(d, v128.load(address, 48));
  }
  const all = v128.xor(v128.xor(a, b), v128.xor(c, d));
  return i32x4.extract_lane(all, 0) ^ i32x4.extract_lane(all, 3);
}
