import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRandom } from "@longwave/base";
import { encodeWav } from "@longwave/media";
import { repositoryPath } from "@longwave/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";

const program = repositoryPath("apps/cli/dist/main.js");
const sampleRate = 22_050;
let folder: string;
let original: string;

function longwave(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [program, "watermark", ...args], { encoding: "utf8" });
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "longwave-watermark-"));
  original = join(folder, "noise.wav");
  const random = new SeededRandom(4);
  let low = 0;
  const samples = Float32Array.from({ length: 8 * sampleRate }, () => {
    low = 0.8 * low + random.next() - 0.5;
    return 0.2 * low;
  });
  writeFileSync(original, encodeWav(samples, { sampleRate, channels: 1, encoding: "s16" }));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a payload goes in with embed and comes out with detect, for its key alone", () => {
  const marked = join(folder, "marked.wav");
  const keyFile = join(folder, "key.txt");
  writeFileSync(keyFile, "our secret\n");
  const made = longwave("embed", original, marked, "--key", "our secret", "--payload", "0000002a");
  expect(made.stderr).toBe("");
  expect(made.stdout).toContain("8.0 s carry 0000002a");
  expect(readFileSync(marked).length).toBe(readFileSync(original).length);
  const found = longwave("detect", marked, "--key-file", keyFile, "--json");
  expect(JSON.parse(found.stdout).marks).toMatchObject([{ payload: "0000002a" }]);
  expect(longwave("detect", marked, "--key", "guess", "--require")).toMatchObject({
    status: 6,
    stdout: "No mark of this key.\n",
  });
});

test("a sound that carries no mark is said to, and one that is none is refused", () => {
  const silent = join(folder, "silent.wav");
  const out = join(folder, "out.wav");
  const write = (fill: number) => {
    const samples = new Float32Array(6 * sampleRate).fill(fill);
    writeFileSync(silent, encodeWav(samples, { sampleRate, channels: 1, encoding: "f32" }));
  };
  write(0);
  const made = longwave("embed", silent, out, "--key", "k", "--payload", "0000002a", "--json");
  expect(JSON.parse(made.stdout)).toMatchObject({ readable: false });
  write(Number.NaN);
  const refused = longwave("embed", silent, out, "--key", "k", "--payload", "0000002a");
  expect(refused).toMatchObject({ status: 3 });
  expect(refused.stderr).toContain("sample 0 is NaN");
});

test("what cannot be done is said in one line", () => {
  const output = join(folder, "none.wav");
  const payload = longwave("embed", original, output, "--key", "k", "--payload", "42");
  expect(payload).toMatchObject({ status: 2 });
  expect(payload.stderr).toContain("8 or 16 hexadecimal digits");
  const key = longwave("detect", original);
  expect(key).toMatchObject({ status: 2 });
  expect(key.stderr).toContain("--key-file");
});

test("a model that is not there, or no runtime for it, is said in one line", () => {
  const missing = longwave("detect", original, "--model", join(folder, "none.onnx"));
  expect(missing).toMatchObject({ status: 5, stderr: expect.stringContaining("none.onnx does not exist") });
  writeFileSync(join(folder, "model.onnx"), "no model");
  const without = spawnSync(
    process.execPath,
    [program, "watermark", "detect", original, "--model", join(folder, "model.onnx")],
    { encoding: "utf8", env: { ...process.env, ORT_LIBRARY_PATH: folder, LONGWAVE_TTS_ORT_LIB: folder } },
  );
  expect(without).toMatchObject({ status: 5, stderr: expect.stringContaining("ONNX Runtime") });
});
