// npm run conformance -- opus-state: saves the decoder's state before every packet of vectors and of lossy streams, and lets a
// fresh process take up each one: its next packet, final range and state after it must be the same bits.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32c } from "@longwave/base";
import { OpusDecoder } from "@longwave/opus";
import { readVector, vectorFolder } from "../opus-vectors.ts";

const names = ["05", "06", "08", "09", "10", "12"];

interface Step {
  readonly state: Uint8Array;
  readonly packet: Uint8Array | null;
  readonly expected: string;
}

const pcm = new Float32Array(5760 * 2);
const image = new Uint8Array(1 << 16);

/** What a packet made of a state: sound, range, state after it. */
function fingerprint(decoder: OpusDecoder, packet: Uint8Array | null): string {
  const samples = decoder.decode(packet, pcm) * decoder.channels;
  const sound = crc32c(new Uint8Array(pcm.buffer, 0, samples * 4));
  const after = crc32c(image.subarray(0, decoder.snapshot(image)));
  return `${samples} ${sound} ${decoder.finalRange} ${after}`;
}

function* steps(name: string, lossEvery: number): Generator<Step> {
  using decoder = new OpusDecoder();
  for (const [index, { packet }] of readVector(name).entries()) {
    const state = image.slice(0, decoder.snapshot(image));
    // Bursts of up to three losses, and one-byte DTX packets.
    const place = lossEvery === 0 ? -1 : index % lossEvery;
    const input = place >= 0 && place < 3 ? null : place === 7 ? packet.slice(0, 1) : packet;
    const usable = input === null || input.length > 1 || (input[0]! & 3) === 0 ? input : null;
    yield { state, packet: usable, expected: fingerprint(decoder, usable) };
  }
}

function write(file: string, name: string, lossEvery: number): number {
  const parts: Uint8Array[] = [];
  let count = 0;
  for (const { state, packet, expected } of steps(name, lossEvery)) {
    const text = new TextEncoder().encode(expected);
    const head = new Uint32Array([state.length, packet === null ? 0xffff_ffff : packet.length, text.length]);
    parts.push(new Uint8Array(head.buffer), state, packet ?? new Uint8Array(0), text);
    count++;
  }
  writeFileSync(file, Buffer.concat(parts));
  return count;
}

/** The fresh process: takes up every state of the file; prints how many came out differently. */
function verify(file: string): void {
  const bytes = readFileSync(file);
  using decoder = new OpusDecoder();
  let wrong = 0;
  for (let at = 0; at < bytes.length; ) {
    const [stateBytes, packetBytes, textBytes] = [0, 4, 8].map((offset) =>
      bytes.readUInt32LE(at + offset),
    ) as [number, number, number];
    at += 12;
    const take = (length: number) => new Uint8Array(bytes.subarray(at, (at += length)));
    decoder.restore(take(stateBytes));
    const packet = packetBytes === 0xffff_ffff ? null : take(packetBytes);
    if (fingerprint(decoder, packet) !== new TextDecoder().decode(take(textBytes))) wrong++;
  }
  console.log(wrong);
}

const at = process.argv.indexOf("--verify");
if (at >= 0) {
  verify(process.argv[at + 1]!);
} else if (vectorFolder === undefined) {
  console.error("The conformance vectors are absent: set LONGWAVE_SHARED to the folder of the shared data.");
  process.exitCode = 5;
} else {
  const folder = mkdtempSync(join(tmpdir(), "longwave-opus-state-"));
  console.log("| vector | losses | states | taken up wrongly |\n| --- | --- | --- | --- |");
  try {
    for (const name of names) {
      for (const lossEvery of [0, 29]) {
        const file = join(folder, "states");
        const count = write(file, name, lossEvery);
        const script = fileURLToPath(import.meta.url);
        const wrong = Number(
          execFileSync(process.execPath, [script, "--verify", file], { encoding: "utf8" }),
        );
        if (wrong !== 0) process.exitCode = 1;
        console.log(`| ${name} | ${lossEvery === 0 ? "none" : "bursts and DTX"} | ${count} | ${wrong} |`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
