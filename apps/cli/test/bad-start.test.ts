import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeWav } from "@longwave/media";
import { repositoryPath } from "@longwave/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const program = repositoryPath("apps/cli/dist/main.js");
let folder = "";

const station = (...args: string[]) =>
  spawnSync(process.execPath, [program, "station", "--port", "0", "--songs", "1", ...args], {
    cwd: folder,
    encoding: "utf8",
    timeout: 150_000,
  });

/** Starts a station, does something with its address and what it said on standard error, and stops it; it must end well. */
async function onAir(
  options: readonly string[],
  settings: Readonly<Record<string, string>>,
  use: (url: string, said: { toMatch(pattern: RegExp): Promise<void> }) => Promise<void>,
  wrapper: readonly string[] = [],
): Promise<void> {
  const args = [program, "station", "--port", "0", "--songs", "1", ...options];
  const env = { ...process.env, NO_COLOR: "1", ...settings };
  const [command, ...rest] = [...wrapper, process.execPath, ...args] as [string, ...string[]];
  const child = spawn(command, rest, { cwd: folder, env });
  let said = "";
  let printed = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  try {
    const address = await new Promise<string>((resolve, reject) => {
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
        const url = /on air: (\S+)\n/.exec(printed)?.[1];
        if (url !== undefined) resolve(url);
      });
      child.once("exit", (status) => reject(new Error(`It ended with ${status}: ${said}`)));
    });
    // Two pipes: what was said first may come last.
    const heard = expect.poll(() => said, { timeout: 60_000 });
    await use(address, heard);
  } finally {
    child.kill("SIGINT");
  }
  expect(await ended).toBe(0);
}

describe.skipIf(!existsSync(program))("a station that cannot start says why (needs npm run build)", () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "longwave-bad-start-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("an archive of a newer version, or a Zarr store that is none", () => {
    for (const [name, attributes, message] of [
      ["newer", { longwave_archive: { version: 99 } }, /version 99/],
      ["other", {}, /no Longwave archive/],
    ] as const) {
      mkdirSync(join(folder, name));
      const root = { zarr_format: 3, node_type: "group", attributes };
      writeFileSync(join(folder, name, "zarr.json"), JSON.stringify(root));
      const run = station("--archive", name);
      expect(run.stderr).toMatch(message);
      expect(run.stderr.trim().split("\n")).toHaveLength(1);
      expect([3, 5]).toContain(run.status);
    }
  });

  test("an archive of another kind, in real and in virtual time, and no folder of that name is made", () => {
    const virtual = [program, "station", "--virtual", "1s", "--archive", "redis://host/0"];
    const runs = [
      station("--archive", "redis://host/0"),
      spawnSync(process.execPath, virtual, { cwd: folder, encoding: "utf8", timeout: 150_000 }),
    ];
    for (const run of runs) {
      expect(run.stderr).toMatch(/cannot record into redis:\/\/.*s3:\/\/bucket\/prefix/);
      expect(run.status).toBe(2);
    }
    expect(existsSync(join(folder, "redis:"))).toBe(false);
  });

  test("an archive that cannot be written", () => {
    writeFileSync(join(folder, "a-file"), "");
    const run = station("--archive", "a-file/archive");
    expect(run.stderr).toMatch(/cannot be written/);
    expect(run.status).toBe(5);
  });

  test("a catalog of a newer version is named, and the station goes on air", async () => {
    mkdirSync(join(folder, "catalog"));
    const manifest = { format: "longwave-catalog", version: 99, crc32c: 0, content: {} };
    writeFileSync(join(folder, "catalog", "manifest.json"), JSON.stringify(manifest));
    await onAir(["--catalog", "catalog"], {}, async (url, said) => {
      await said.toMatch(
        /^longwave: warn: The catalog in catalog \(--catalog\) cannot be read: .*version 99.*everything else goes on\.\n$/,
      );
      expect(await (await fetch(`${url}v1/health`)).json()).toMatchObject({ status: "degraded" });
    });
  });

  test("object storage without credentials", () => {
    const run = station("--archive", "s3://somewhere/archive");
    expect(run.stderr).toMatch(/AWS_ACCESS_KEY_ID/);
    expect(run.status).toBe(2);
  });

  test("object storage that cannot be reached is named, and the station goes on air", async () => {
    const env = {
      AWS_ACCESS_KEY_ID: "a",
      AWS_SECRET_ACCESS_KEY: "b",
      LONGWAVE_S3_ENDPOINT: "http://127.0.0.1:1",
    };
    await onAir(["--archive", "s3://somewhere/archive"], env, async (url, said) => {
      await said.toMatch(
        /^longwave: warn: The archive at s3:\/\/somewhere\/archive is away: The object storage at http:\/\/127\.0\.0\.1:1 failed on somewhere\/.*cannot be reached.*everything else goes on\.\n$/,
      );
      expect(await (await fetch(`${url}v1/health`)).json()).toMatchObject({
        status: "degraded",
        degraded: ["The archive's store is away."],
        parts: [
          {
            part: "archive",
            reason: expect.stringMatching(
              /^The object storage at http:\/\/127\.0\.0\.1:1 failed on .*cannot be reached/,
            ),
          },
        ],
      });
      expect((await fetch(`${url}v1/archive`)).status).toBe(503);
    });
  });

  test("an archive that cannot be written any more is named, and the station stays on air", async () => {
    const health = async (url: string) => (await (await fetch(`${url}v1/health`)).json()) as object;
    // No file may grow beyond 16 KiB: writing the recording fails after some seconds, with the system's own error.
    const limited = ["bash", "-c", 'ulimit -f 16; exec "$0" "$@"'];
    const use = async (url: string) => {
      await expect
        .poll(() => health(url), { timeout: 120_000, interval: 200 })
        .toMatchObject({
          status: "degraded",
          parts: [
            {
              part: "archive",
              stream: "studio-1",
              says: "Nothing is recorded of studio-1.",
              reason: expect.stringContaining("(ulimit -f)"),
            },
          ],
        });
      const { playedMs } = (await (await fetch(`${url}v1/streams/studio-1`)).json()) as { playedMs: number };
      await expect
        .poll(async () => (await (await fetch(`${url}v1/streams/studio-1`)).json()) as object, {
          timeout: 60_000,
        })
        .toMatchObject({ running: true, playedMs: expect.toSatisfy((now: number) => now > playedMs) });
    };
    await onAir(["--archive", "limited"], {}, use, limited);
  });

  test("a catalog or a report where a file is", () => {
    writeFileSync(join(folder, "taken"), "");
    for (const option of ["--catalog", "--report"]) {
      const run = station(option, "taken");
      expect(run.stderr).toMatch(
        /^longwave: The (catalog|report) cannot be written to taken( \(--catalog\))?: .*directory/,
      );
      expect(run.stderr.trim().split("\n")).toHaveLength(1);
      expect(run.status).toBe(5);
    }
  });

  test("a sound file without sound in it", () => {
    const silent = encodeWav(new Float32Array(0), { sampleRate: 48_000, channels: 1, encoding: "s16" });
    writeFileSync(join(folder, "header.wav"), silent);
    const run = station("--input", "header.wav");
    expect(run.stderr).toMatch(/header\.wav holds less than a second of sound/);
    expect(run.status).toBe(3);
  });

  test("a rate that is no number, named as it was written", () => {
    const run = station("--input", "-", "--input-rate", "abc");
    expect(run.stderr).toContain('--input-rate must be a whole number, not "abc"');
    expect(run.status).toBe(2);
  });

  test("an archive that another station records into", async () => {
    const args = [program, "station", "--port", "0", "--songs", "1", "--archive", "shared", "--json"];
    const first: ChildProcess = spawn(process.execPath, args, { cwd: folder });
    try {
      await new Promise<void>((resolve) => {
        first.stdout!.on("data", (bytes: Buffer) => bytes.includes("archive.started") && resolve());
      });
      const run = station("--archive", "shared");
      expect(run.stderr).toMatch(new RegExp(`process ${first.pid}.*--archive`));
      expect(run.status).toBe(5);
    } finally {
      const gone = new Promise((resolve) => first.once("exit", resolve));
      first.kill("SIGINT");
      await gone;
    }
  });
});
