import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeOutput } from "../src/archive/write-output.ts";
import { openReplacement, replaceFile } from "../src/replace-file.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "longwave-replace-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a file is the old one until the new one is whole, and stays so where that never happens", async () => {
  const path = join(folder, "a");
  writeFileSync(path, "old");
  const replacement = await openReplacement(path);
  await replacement.file.writeFile("ne");
  expect(readFileSync(path, "utf8")).toBe("old");
  await replacement.discard();
  expect(readFileSync(path, "utf8")).toBe("old");
  await replaceFile(path, "new");
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(readdirSync(folder)).toEqual(["a"]);
});

test("a stream of pieces that fails halfway leaves the old file, or none", async () => {
  async function* failing(): AsyncIterable<Uint8Array> {
    yield Uint8Array.of(1, 2, 3);
    throw new Error("the disk is gone");
  }
  const path = join(folder, "b");
  await expect(writeOutput(path, failing())).rejects.toThrow("the disk is gone");
  expect(existsSync(path)).toBe(false);
  writeFileSync(path, "old");
  await expect(writeOutput(path, failing())).rejects.toThrow("the disk is gone");
  expect(readFileSync(path, "utf8")).toBe("old");
});

test.skipIf(process.platform === "win32")("a link stays a link, a device is written to", async () => {
  writeFileSync(join(folder, "target"), "old");
  symlinkSync("target", join(folder, "link"));
  await replaceFile(join(folder, "link"), "new");
  expect(readlinkSync(join(folder, "link"))).toBe("target");
  expect(readFileSync(join(folder, "target"), "utf8")).toBe("new");
  await replaceFile("/dev/null", "gone");
  await expect(replaceFile(folder, "x")).rejects.toMatchObject({ code: "EISDIR" });
  await expect(replaceFile(join(folder, "none", "x"), "x")).rejects.toMatchObject({
    code: "ENOENT",
    path: join(folder, "none", "x"),
  });
});
