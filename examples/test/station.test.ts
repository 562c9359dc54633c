import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "longwave-example-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs an example in this process with its arguments; returns what it printed. */
async function run(load: () => Promise<unknown>, args: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  const argv = process.argv;
  process.argv = [argv[0]!, "example", ...args];
  try {
    await load();
  } finally {
    process.argv = argv;
    log.mockRestore();
  }
  return lines;
}

test("the virtual station recognises its song", async () => {
  const lines = await run(() => import("../station/virtual.ts"), ["7", "8"]);
  expect(lines.map((line) => JSON.parse(line).type)).toContain("match.entered");
});

test("the bond loses nothing when one of its links is cut", async () => {
  const [line] = await run(() => import("../station/bond.ts"), []);
  const report = JSON.parse(line!);
  expect(report).toMatchObject({ sent: 500, concealedBlocks: 0, cut: ["lte"] });
  expect(report.received).toBeGreaterThan(440);
});

test("the song becomes a WAV file that says how long it is", async () => {
  const path = join(folder, "song.wav");
  const [line] = await run(() => import("../station/song.ts"), [path, "3"]);
  expect(line).toMatch(/bpm/);
  const bytes = readFileSync(path);
  expect(bytes.subarray(0, 4).toString()).toBe("RIFF");
  expect(bytes.readUInt32LE(4)).toBe(bytes.length - 8);
  expect(bytes.length).toBeGreaterThan(48_000 * 4 * 50);
});
