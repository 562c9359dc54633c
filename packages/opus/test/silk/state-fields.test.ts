import { isFullSweep } from "@longwave/testkit";
import { expect, test } from "vitest";
import { createSilkCore, type SilkExports, SilkOnlyDecoder } from "./silk-core.ts";
import { type StateField, silkStateFields } from "./state-fields.ts";
import { readVector, vectorFolder } from "./vectors.ts";

const absent = vectorFolder === undefined ? " (skipped: shared data absent)" : "";
const bytesOf = { i8: 1, i16: 2, i32: 4 };

function blockOf(core: SilkExports): Uint8Array {
  return new Uint8Array(core.memory.buffer, core.decoderAddress(), core.decoderBytes());
}

function copyFields(from: Uint8Array, to: Uint8Array, wanted: (field: StateField) => boolean): void {
  for (const field of silkStateFields.filter(wanted)) {
    const end = field.offset + field.count * bytesOf[field.type];
    to.set(from.subarray(field.offset, end), field.offset);
  }
}

test("the fields cover the block exactly", async () => {
  const core = await createSilkCore();
  let at = 0;
  for (const field of silkStateFields) {
    expect(field.offset).toBe(at);
    expect(field.offset % bytesOf[field.type]).toBe(0);
    at += field.count * bytesOf[field.type];
  }
  expect(at).toBe(core.decoderBytes());
});

test.skipIf(vectorFolder === undefined).each([
  ["02", 12000, "all fields but the idle ones, with losses afterwards", true],
  ["03", 48000, "all fields but the idle ones, with losses afterwards", true],
  ["04", 48000, "the live fields alone, without losses", false],
  ["02", 8000, "the live fields alone, without losses", false],
] as const)(`vector %s at %i Hz goes on from %s${absent}`, async (name, rate, _what, losses) => {
  const core = await createSilkCore();
  const other = await createSilkCore();
  const original = new SilkOnlyDecoder(core, rate, 2);
  const restored = new SilkOnlyDecoder(other, rate, 2);
  const wanted = ({ section }: StateField) => section === "live" || (losses && section === "conceal");
  const wrong: number[] = [];
  for (const [index, { packet }] of readVector(name)
    .slice(0, isFullSweep ? 700 : 300)
    .entries()) {
    if (index % 5 === 0) {
      other.init();
      copyFields(blockOf(core), blockOf(other), wanted);
      expect(other.valid()).toBe(1);
    }
    const lost = losses && index > 0 && packet.length % 3 === 0;
    const a = lost ? original.conceal(20) : original.decode(packet);
    const b = lost ? restored.conceal(20) : restored.decode(packet);
    if (a.some((sample, at) => sample !== b[at])) wrong.push(index);
  }
  expect(wrong).toEqual([]);
});

test("a hostile block is refused or harmless", async () => {
  const core = await createSilkCore();
  const decoder = new SilkOnlyDecoder(core, 48000, 2);
  let random = 1;
  const next = () => {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    return random;
  };
  const first = decoder.conceal(20);
  expect(first.every((sample) => sample === 0)).toBe(true);
  const good = blockOf(core).slice();
  expect(core.valid()).toBe(1);
  const rounds = isFullSweep ? 3000 : 1000;
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    const block = blockOf(core);
    block.set(good);
    for (let n = 0; n < 3; n++) block[next() % block.length] = next() >>> 24;
    if (core.valid() === 0) {
      refused++;
      continue;
    }
    const guard = new Uint8Array(core.memory.buffer, core.decoderAddress() + core.decoderBytes(), 256);
    guard.fill(0xa5);
    decoder.conceal(60);
    expect(guard.every((byte) => byte === 0xa5)).toBe(true);
  }
  expect(refused).toBeGreaterThan(rounds / 60);
});
