import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryPath } from "@longwave/testkit";

/** One request to the harness (see packet-harness.c). */
export interface HarnessRequest {
  readonly op:
    | "parse"
    | "pad"
    | "unpad"
    | "repacketize"
    | "multistream-pad"
    | "multistream-unpad"
    | "duration";
  readonly a?: number;
  readonly b?: number;
  readonly bytes: Uint8Array;
}

export interface HarnessAnswer {
  readonly result: number;
  readonly bytes: Uint8Array;
}

const ops = ["parse", "pad", "unpad", "repacketize", "multistream-pad", "multistream-unpad", "duration"];

/** Whether the harness can be compiled here: gcc and libopus-dev. */
export const hasLibopus: boolean =
  spawnSync("gcc", ["-E", "-"], { input: "#include <opus/opus.h>\n" }).status === 0;

/** Compiles the harness, asks it everything at once, and returns its answers. */
export function askLibopus(requests: readonly HarnessRequest[]): HarnessAnswer[] {
  const directory = mkdtempSync(join(tmpdir(), "longwave-opus-"));
  try {
    const program = join(directory, "harness");
    const source = repositoryPath("packages/opus/test/packets/packet-harness.c");
    const built = spawnSync("gcc", ["-O1", "-o", program, source, "-lopus"], { encoding: "utf8" });
    if (built.status !== 0) throw new Error(built.stderr);
    const run = spawnSync(program, { input: Buffer.concat(requests.map(encode)), maxBuffer: 1 << 28 });
    if (run.status !== 0) throw new Error(`The harness ended with ${run.status}.`);
    return decode(run.stdout, requests.length);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function encode({ op, a = 0, b = 0, bytes }: HarnessRequest): Buffer {
  const head = Buffer.alloc(16);
  for (const [i, value] of [ops.indexOf(op), a, b, bytes.length].entries()) head.writeUInt32LE(value, 4 * i);
  return Buffer.concat([head, bytes]);
}

function decode(bytes: Buffer, count: number): HarnessAnswer[] {
  const answers: HarnessAnswer[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const length = bytes.readUInt32LE(at + 4);
    answers.push({
      result: bytes.readInt32LE(at),
      bytes: new Uint8Array(bytes.subarray(at + 8, at + 8 + length)),
    });
    at += 8 + length;
  }
  return answers;
}
