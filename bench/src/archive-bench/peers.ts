import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { SeededRandom } from "@longwave/base";
import { repositoryPath } from "@longwave/testkit";
import { quantile, report } from "./table.js";

const rounds = 15;

/** Others at the same task: a second at a random place of the same file. */
export function measurePeers(folder: string, file: string, seconds: number): void {
  const peers: readonly (readonly [string, string])[] = [
    [
      "libopusfile op_pcm_seek + 1 s, in process (C, libopus with SIMD): median / p95",
      libopusfile(folder, file),
    ],
    ["ffmpeg -ss + 1 s, a process each: median", ffmpeg(file, seconds)],
    ["FLAC (lossless, flac --skip --until), a process each: median", flac(folder, file, seconds)],
  ];
  for (const [what, figure] of peers) report({ number: "peer", what, target: "-", figure });
}

function libopusfile(folder: string, file: string): string {
  const program = join(folder, "seek-peer");
  const flags = spawnSync("pkg-config", ["--cflags", "--libs", "opusfile"]);
  if (flags.status !== 0) return "libopusfile-dev is not installed";
  const source = repositoryPath("bench/src/archive-bench/seek-peer.c");
  const parameters = ["-O2", "-o", program, source, ...flags.stdout.toString().trim().split(/\s+/)];
  if (spawnSync("gcc", parameters, { stdio: ["ignore", 2, 2] }).status !== 0 || !existsSync(program))
    return "gcc cannot build it here";
  const run = spawnSync(program, [file, "200"]);
  const [median, p95, wrong, count] = run.stdout.toString().trim().split(" ").map(Number);
  if (run.status !== 0) return "it failed";
  return `${median!.toFixed(1)} / ${p95!.toFixed(1)} ms; ${wrong} of ${count} not exact`;
}

function ffmpeg(file: string, seconds: number): string {
  const all = spawnSync("ffmpeg", ["-v", "error", "-i", file, "-f", "s16le", "-"], { maxBuffer: 2 ** 31 });
  if (all.status !== 0) return "ffmpeg is not installed";
  const random = new SeededRandom(3);
  const times: number[] = [];
  let wrong = 0;
  for (let i = 0; i < rounds; i++) {
    const at = random.below(seconds - 2);
    const began = performance.now();
    const clip = spawnSync(
      "ffmpeg",
      ["-v", "error", "-ss", String(at), "-t", "1", "-i", file, "-f", "s16le", "-"],
      { maxBuffer: 2 ** 28 },
    );
    times.push(performance.now() - began);
    if (!clip.stdout.equals(all.stdout.subarray(at * 192_000, (at + 1) * 192_000))) wrong++;
  }
  return `${quantile(times, 0.5).toFixed(0)} ms; ${wrong} of ${rounds} not exact`;
}

function flac(folder: string, file: string, seconds: number): string {
  const wav = join(folder, "peer.wav");
  const packed = join(folder, "peer.flac");
  const made =
    spawnSync("ffmpeg", ["-v", "error", "-y", "-i", file, "-c:a", "pcm_s16le", wav]).status === 0 &&
    spawnSync("flac", ["-s", "-f", "-5", "-o", packed, wav]).status === 0;
  if (!made) return "flac is not installed";
  const random = new SeededRandom(4);
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const at = 48_000 * random.below(seconds - 2);
    const began = performance.now();
    const range = [`--skip=${at}`, `--until=${at + 48_000}`];
    spawnSync("flac", ["-s", "-d", "-c", ...range, packed], { maxBuffer: 2 ** 28 });
    times.push(performance.now() - began);
  }
  return `${quantile(times, 0.5).toFixed(0)} ms; exact`;
}
