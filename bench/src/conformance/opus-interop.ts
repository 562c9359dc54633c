// npm run conformance -- opus-interop [--json]: files made by opusenc, ffmpeg (libopus) and Chromium's MediaRecorder, decoded
// by our file decoder and compared, sample by sample, with libopus 1.6.1 (npm libopus-wasm, packet by packet), with
// opusdec, with ffmpeg's libopus and with ffmpeg's own decoder. Debian's libopus is 1.3.1 with vector instructions, so CELT
// sums may differ from ours in the last place; lengths and SILK must be equal. Exit code 1 where a limit is broken.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OggOpusWriter, openOpusFile, opusFileDecoder, opusPacketFrames } from "@longwave/media";
import { decodeAudioBytes } from "@longwave/media/node";
import { createSeekableDecoder } from "@longwave/opus";
import { createDecoder } from "libopus-wasm";
import { type ForeignFile, makeFiles, run } from "../opus-interop/files.ts";

/** Largest difference of a float sample to libopus 1.3.1 on the same packets, of full scale 1. */
const limit = 1e-6;

interface Sound {
  readonly pcm: Float32Array;
  readonly channels: number;
}

interface Row {
  readonly maker: string;
  readonly file: string;
  readonly channels: number;
  readonly frames: number;
  readonly modes: string;
  /** Samples that differ from libopus 1.6.1; undefined for more than two channels. */
  readonly unlike161: number | undefined;
  readonly opusdec: string;
  readonly ffmpegLibopus: string;
  readonly ffmpegOwn: string;
  readonly passed: boolean;
}

async function ours(path: string): Promise<Sound> {
  const { pcm, channels } = await decodeAudioBytes(readFileSync(path), {
    decoders: [opusFileDecoder(createSeekableDecoder)],
    ffmpeg: false,
  });
  return { pcm, channels };
}

/** The packets of a mono or stereo file through libopus 1.6.1, cut as the container says. */
async function oracle(path: string): Promise<{ pcm: Float32Array | undefined; modes: string }> {
  const reader = await openOpusFile(readFileSync(path));
  const { head } = reader.links[0]!;
  const modes = new Set<string>();
  const parts: Float32Array[] = [];
  let link = -1;
  let decoder: Awaited<ReturnType<typeof createDecoder>> | undefined;
  for await (const packet of reader.packets()) {
    const config = packet.data[0]! >> 3;
    modes.add(config < 12 ? "SILK" : config < 16 ? "hybrid" : "CELT");
    if (head.family !== 0) continue;
    if (packet.link !== link) {
      link = packet.link;
      decoder?.free();
      decoder = await createDecoder({
        channels: head.channels === 1 ? 1 : 2,
        sampleRate: 48_000,
        maxFrameSize: 5760,
      });
    }
    const sound = decoder!.decodeFloat(packet.data);
    const end = sound.length - packet.trimEnd * head.channels;
    parts.push(sound.slice(packet.skipStart * head.channels, end));
  }
  decoder?.free();
  return { pcm: head.family === 0 ? joined(parts) : undefined, modes: [...modes].sort().join(", ") };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

async function byOpusdec(path: string, folder: string): Promise<Sound> {
  let input = path;
  if (path.endsWith(".webm")) {
    // Not by ffmpeg -c copy: its Ogg loses the end trim, and opusdec refuses its copies of Chromium's files.
    input = join(folder, "remuxed.opus");
    writeFileSync(input, await remuxed(path));
  }
  const output = join(folder, "opusdec.wav");
  run("opusdec", ["--quiet", "--float", "--rate", "48000", input, output]);
  const { pcm, channels } = await decodeAudioBytes(readFileSync(output), { ffmpeg: false });
  return { pcm, channels };
}

/** The packets of a WebM file in Ogg, by our own writer. */
async function remuxed(path: string): Promise<Buffer> {
  const reader = await openOpusFile(readFileSync(path));
  const pages: Buffer[] = [];
  const { head } = reader.links[0]!;
  const writer = new OggOpusWriter((page) => pages.push(Buffer.from(page)), { head, serial: 1 });
  let frames = -head.preSkip;
  for await (const { data, trimEnd } of reader.packets()) {
    writer.write(data);
    frames += opusPacketFrames(data) - trimEnd;
  }
  writer.finish(frames);
  return Buffer.concat(pages);
}

function byFfmpeg(path: string, decoder: string, channels: number): Sound {
  const bytes = run("ffmpeg", [
    "-v",
    "error",
    "-c:a",
    decoder,
    "-request_sample_fmt",
    "flt",
    "-i",
    path,
    "-f",
    "f32le",
    "-",
  ]);
  return { pcm: new Float32Array(new Uint8Array(bytes).buffer), channels };
}

/** "equal", the largest difference, or how the lengths differ. */
function judge(mine: Sound, theirs: Sound): { text: string; passed: boolean } {
  const frames = mine.pcm.length / mine.channels;
  const theirFrames = theirs.pcm.length / theirs.channels;
  let largest = 0;
  let squares = 0;
  const length = Math.min(mine.pcm.length, theirs.pcm.length);
  for (let i = 0; i < length; i++) {
    const difference = Math.abs(mine.pcm[i]! - theirs.pcm[i]!);
    largest = Math.max(largest, difference);
    squares += difference * difference;
  }
  const sound =
    largest === 0
      ? "equal"
      : `${largest.toExponential(1)}, rms ${Math.sqrt(squares / length).toExponential(1)}`;
  const same = frames === theirFrames;
  return {
    text: same ? sound : `${theirFrames - frames} frames; ${sound}`,
    passed: same && largest <= limit,
  };
}

async function examine(file: ForeignFile, folder: string): Promise<Row> {
  const mine = await ours(file.path);
  const { pcm: expected, modes } = await oracle(file.path);
  let unlike161: number | undefined;
  if (expected !== undefined) {
    unlike161 = Math.abs(expected.length - mine.pcm.length);
    for (let i = 0; i < expected.length; i++) if (expected[i] !== mine.pcm[i]) unlike161++;
  }
  const compare = async (decode: () => Promise<Sound> | Sound) => {
    try {
      return judge(mine, await decode());
    } catch (error) {
      if (!file.opusdecRefuses) throw error;
      return { text: "does not read it", passed: true };
    }
  };
  const opusdec = await compare(() => byOpusdec(file.path, folder));
  const ffmpegLibopus = await compare(() => byFfmpeg(file.path, "libopus", mine.channels));
  const ffmpegOwn = await compare(() => byFfmpeg(file.path, "opus", mine.channels));
  return {
    maker: file.maker,
    file: file.name,
    channels: mine.channels,
    frames: mine.pcm.length / mine.channels,
    modes,
    unlike161,
    opusdec: opusdec.text,
    ffmpegLibopus: ffmpegLibopus.text,
    ffmpegOwn: ffmpegOwn.text,
    // Comfort noise differs between the two versions of libopus; there 1.6.1 alone is the judge.
    passed: (unlike161 ?? 0) === 0 && (file.hasDtx || (opusdec.passed && ffmpegLibopus.passed)),
  };
}

for (const [program, argument] of [
  ["opusenc", "--version"],
  ["opusdec", "--version"],
  ["ffmpeg", "-version"],
] as const) {
  if (spawnSync(program, [argument]).status === 0) continue;
  console.error(`This needs ${program}: install opus-tools and ffmpeg.`);
  process.exit(2);
}
const json = process.argv.includes("--json");
const folder = mkdtempSync(join(tmpdir(), "longwave-interop-"));
const rows: Row[] = [];
try {
  const files = await makeFiles(folder);
  if (!json) {
    console.log(
      "| made by | file | frames | modes | samples unlike libopus 1.6.1 | opusdec (1.3.1), largest difference | ffmpeg -c:a libopus (1.3.1) | ffmpeg's own decoder | |",
    );
    console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
  }
  for (const file of files) {
    const row = await examine(file, folder);
    rows.push(row);
    if (json) continue;
    const { maker, file: name, frames, modes, unlike161, opusdec, ffmpegLibopus, ffmpegOwn, passed } = row;
    const cells = [maker, name, frames, modes, unlike161 ?? "-", opusdec, ffmpegLibopus, ffmpegOwn];
    console.log(`| ${cells.join(" | ")} | ${passed ? "ok" : "FAILED"} |`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const failed = rows.filter(({ passed }) => !passed).length;
if (json) console.log(JSON.stringify(rows, null, 2));
else console.log(`${rows.length - failed} of ${rows.length} agree.`);
process.exit(failed === 0 ? 0 : 1);
