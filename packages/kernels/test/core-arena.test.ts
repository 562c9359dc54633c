import { SeededRandom } from "@longwave/base";
import { CoreArena } from "@longwave/kernels";
import { expect, test } from "vitest";

test("blocks are aligned, zeroed, apart from each other, and come back", () => {
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4 });
  const arena = new CoreArena(memory, 1000);
  const whole = arena.freeBytes;
  const random = new SeededRandom(4);
  const blocks: { address: number; size: number; mark: number }[] = [];
  for (let round = 0; round < 5000; round++) {
    if (blocks.length > 0 && random.below(2) === 0) {
      const [block] = blocks.splice(random.below(blocks.length), 1);
      const bytes = new Uint8Array(memory.buffer, block!.address, block!.size);
      expect(bytes.every((byte) => byte === block!.mark)).toBe(true);
      arena.release(block!.address);
      arena.release(block!.address);
      continue;
    }
    const size = 1 + random.below(9000);
    const address = arena.tryAllocate(size);
    if (address === undefined) continue;
    const bytes = new Uint8Array(memory.buffer, address, size);
    expect(address % 64).toBe(0);
    expect(address).toBeGreaterThanOrEqual(1000);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    const mark = 1 + random.below(255);
    bytes.fill(mark);
    blocks.push({ address, size, mark });
  }
  for (const block of blocks) arena.release(block.address);
  expect(arena.freeBytes).toBe(whole);
  expect(arena.tryAllocate(whole)).toBeDefined();
});

test("a full arena says kernels/out-of-memory", () => {
  const arena = new CoreArena(new WebAssembly.Memory({ initial: 1, maximum: 1 }), 0);
  expect(() => arena.allocate(70_000)).toThrow(
    expect.objectContaining({ code: "kernels/out-of-memory", kind: "limit" }),
  );
  expect(arena.allocate(65_536)).toBe(0);
  expect(arena.tryAllocate(1)).toBeUndefined();
});
