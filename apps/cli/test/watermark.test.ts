import { spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRandom } from "@longwave/base";
import { encodeWav } from "@longwave/media";
import { repositoryPath } from "@longwave/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runHere } from "./run-here.ts";

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

test("a second mark of the same key is refused unless forced, and a file may be marked in its own place", async () => {
  const file = join(folder, "in-place.wav");
  copyFileSync(original, file);
  chmodSync(file, 0o640);
  const embed = (payload: string, ...more: string[]) =>
    runHere(["watermark", "embed", file, file, "--key", "k", "--payload", payload, ...more]);
  // Whoever has the file open goes on reading the old one: it is replaced, not written into.
  const before = openSync(file, "r");
  expect(await embed("01234567")).toMatchObject({ code: 0, stderr: "" });
  expect(readFileSync(before)).toEqual(readFileSync(original));
  closeSync(before);
  expect(statSync(file).mode & 0o777).toBe(0o640);
  const marked = readFileSync(file);
  const refused = await embed("0000002a");
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toMatch(/carries 01234567 of this key already.*--force\. \(cli\/already-marked\)/);
  expect(readFileSync(file)).toEqual(marked);
  const forced = await embed("0000002a", "--force", "--json");
  expect(forced).toMatchObject({ code: 0, stderr: expect.stringContaining("which a second mark erases") });
  expect(JSON.parse(forced.stdout)).toMatchObject({ readable: true });
  const found = await runHere(["watermark", "detect", file, "--key", "k", "--json"]);
  expect(JSON.parse(found.stdout).marks).toMatchObject([{ payload: "0000002a" }]);
  expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
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
