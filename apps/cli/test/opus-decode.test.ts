// `longwave opus decode` on files of the oracle's encoder, against the oracle's decoder and Debian's opusdec.
import { execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { encodeWav, OggOpusWriter, parseOpusHead, plainOpusHead } from "@longwave/media";
import { repositoryPath } from "@longwave/testkit";
import { createDecoder, createEncoder } from "libopus-wasm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runHere } from "./run-here.ts";

const run = promisify(execFile);
const main = new URL("../dist/main.js", import.meta.url).pathname;
let folder = "";
const packets: Uint8Array[] = [];
const sound = Float32Array.from(
  { length: 48000 * 2 },
  (_, i) => 0.3 * Math.sin((i >> 1) / (20 + (i & 1) * 9)),
);

const longwave = (...parameters: string[]) => runHere(["opus", "decode", ...parameters]);

function hasTool(name: string): boolean {
  try {
    execFileSync(name, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const stereoFixture = repositoryPath("packages/media/test/fixtures/stereo.opus");
const tools = hasTool("opusenc") && hasTool("opusdec");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "longwave-opus-"));
  const encoder = await createEncoder({ channels: 2, bitrate: 64_000 });
  const pieces: Buffer[] = [];
  for (let at = 0; at + 1920 <= sound.length; at += 1920) {
    const packet = encoder.encodeFloat(sound.subarray(at, at + 1920)).slice();
    packets.push(packet);
    const head = Buffer.alloc(8);
    head.writeUInt32BE(packet.length);
    pieces.push(head, Buffer.from(packet));
  }
  encoder.free();
  await writeFile(join(folder, "tone.bit"), Buffer.concat(pieces));
  await writeFile(join(folder, "tone.wav"), encodeWav(sound, { sampleRate: 48000, channels: 2 }));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test("raw 16-bit samples of a .bit file are the oracle's", async () => {
  const raw = join(folder, "tone.raw");
  expect((await longwave(join(folder, "tone.bit"), raw, "--raw")).code).toBe(0);
  const bytes = await readFile(raw);
  const ours = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  const oracle = await createDecoder({ channels: 2 });
  const expected = packets.flatMap((packet) => [...oracle.decode(packet)]);
  oracle.free();
  expect([...ours]).toEqual(expected);
});

test("a part, at another rate and as float, has the asked length; the report says so", async () => {
  const { stdout } = await longwave(
    join(folder, "tone.bit"),
    join(folder, "part.wav"),
    ..."--rate 16000 --float --from 0.25s --to 0.75s --json".split(" "),
  );
  expect(JSON.parse(stdout)).toMatchObject({
    sampleRate: 16000,
    channels: 2,
    frames: 8000,
    packets: 50,
    lost: 0,
  });
});

test("any other rate is resampled to the exact length, cut at the file's end", async () => {
  const mono = repositoryPath("packages/media/test/fixtures/mono.opus");
  const { stdout } = await longwave(mono, join(folder, "cd.wav"), "--rate", "44100", "--json");
  expect(JSON.parse(stdout)).toMatchObject({
    sampleRate: 44_100,
    frames: Math.ceil((24_013 * 44_100) / 48_000),
  });
});

test("dither is the same on every run, and at most one step beside the plain decode", async () => {
  const decodes: Int16Array[] = [];
  for (const dither of [["--no-dither"], ["--dither"], ["--dither"]]) {
    const raw = join(folder, "dither.pcm"); // by its name without a header
    expect((await longwave(join(folder, "tone.bit"), raw, "--quiet", ...dither)).stdout).toBe("");
    decodes.push(new Int16Array(new Uint8Array(await readFile(raw)).buffer));
  }
  const [plain, once, again] = decodes as [Int16Array, Int16Array, Int16Array];
  expect(again).toEqual(once);
  const steps = [0, 0, 0];
  for (const [i, value] of once.entries()) steps[value - plain[i]! + 1]!++;
  expect(steps.reduce((sum, count) => sum + count)).toBe(plain.length);
  // A triangle of one step either way over a uniform rounding error leaves 1/6 on each side.
  expect(Math.abs(steps[0]! / plain.length - 1 / 6)).toBeLessThan(0.02);
  expect(Math.abs(steps[2]! / plain.length - 1 / 6)).toBeLessThan(0.02);
});

test("ambisonics with a demixing matrix (family 3) have libopus' samples", async () => {
  const fixtures = repositoryPath("packages/opus/test/fixtures");
  const stored = await readFile(join(fixtures, "projection-silk.packets"));
  const headBytes = stored.readUInt32LE(0);
  const head = { ...parseOpusHead(stored.subarray(4, 4 + headBytes)), preSkip: 0 };
  const pages: Uint8Array[] = [];
  const writer = new OggOpusWriter((page) => pages.push(page.slice()), { head, serial: 3 });
  for (let at = 4 + headBytes; at < stored.length; ) {
    const size = stored.readUInt32LE(at);
    writer.write(stored.subarray(at + 8, at + 8 + size));
    at += 8 + size;
  }
  writer.finish();
  await writeFile(join(folder, "ambisonics.opus"), Buffer.concat(pages));
  const raw = join(folder, "ambisonics.raw");
  expect((await longwave(join(folder, "ambisonics.opus"), raw, "--quiet")).code).toBe(0);
  const hash = createHash("sha256").update(await readFile(raw));
  const expected = await readFile(join(fixtures, "projection-silk.sha256"), "utf8");
  expect(hash.digest("hex")).toBe(expected.slice(0, 64));
});

test("standard input to standard output gives the bytes of the files", async () => {
  const bit = join(folder, "tone.bit");
  await longwave(bit, join(folder, "piped.raw"));
  const pipe = spawnSync(process.execPath, [main, "opus", "decode", "-", "-", "--raw"], {
    input: await readFile(bit),
    maxBuffer: 1 << 24,
  });
  expect(pipe.status).toBe(0);
  expect(pipe.stdout.equals(await readFile(join(folder, "piped.raw")))).toBe(true);
});

test("dropped packets are concealed or recovered; the length stays", async () => {
  for (const extra of [[], ["--fec"]]) {
    const { stdout } = await longwave(
      join(folder, "tone.bit"),
      join(folder, "lossy.wav"),
      "--packet-loss",
      "20",
      "--json",
      ...extra,
    );
    const report = JSON.parse(stdout);
    expect(report.frames).toBe(48000);
    expect(report.lost).toBeGreaterThan(3);
  }
});

test("bad files and options end with the documented exit codes", async () => {
  expect((await longwave(join(folder, "tone.wav"), join(folder, "x.wav"))).code).toBe(3);
  expect((await longwave(join(folder, "absent.opus"))).code).toBe(2);
  expect((await longwave(join(folder, "tone.bit"), "--rate", "44.1")).code).toBe(2);
});

test("the input is never the output, and a bad input leaves an older output alone", async () => {
  const wav = join(folder, "keep.wav");
  await writeFile(wav, "older");
  expect((await longwave(wav)).code).toBe(2);
  expect((await longwave(join(folder, "tone.wav"), wav)).code).toBe(3);
  expect(await readFile(wav, "utf8")).toBe("older");
});

test("outputs and loss traces that cannot be opened are usage errors", async () => {
  expect((await longwave(join(folder, "tone.bit"), join(folder, "absent", "x.wav"))).code).toBe(2);
  const trace = ["--loss-trace", join(folder, "absent.txt")];
  expect((await longwave(join(folder, "tone.bit"), join(folder, "x.wav"), ...trace)).code).toBe(2);
  const ranges = ["--save-range", join(folder, "absent", "ranges.txt")];
  expect((await longwave(join(folder, "tone.bit"), join(folder, "x.wav"), ...ranges)).code).toBe(2);
});

test("an empty loss trace and an empty span are usage errors", async () => {
  const empty = join(folder, "empty-trace.txt");
  await writeFile(empty, "none\n");
  const tone = join(folder, "tone.bit");
  expect((await longwave(tone, join(folder, "x.wav"), "--loss-trace", empty)).code).toBe(2);
  expect((await longwave(tone, join(folder, "x.wav"), "--from", "2", "--to", "1")).code).toBe(2);
});

test("a gap is concealed for 10 s at most", async () => {
  const file = join(folder, "gap.opus");
  const pages: Uint8Array[] = [];
  const writer = new OggOpusWriter((bytes) => pages.push(bytes.slice()), {
    head: plainOpusHead(2, 312),
    serial: 1,
  });
  for (let i = 0; i < 1000; i++) writer.write(packets[i % packets.length]!);
  writer.finish();
  // Pages 0 and 1 are the headers; each of the others holds a second.
  for (const missing of [9, 12]) {
    await writeFile(file, Buffer.concat(pages.filter((_, i) => i < 5 || i >= 5 + missing)));
    const report = JSON.parse((await longwave(file, join(folder, "gap.wav"), "--json")).stdout);
    const shortened = Math.max(0, missing - 10);
    const frames = (20 - shortened) * 48_000 - 312;
    expect(report).toMatchObject({ gaps: 1, shortenedGaps: Math.min(1, shortened), frames });
  }
});

test("bytes before the first Ogg page are passed over and reported", async () => {
  const file = join(folder, "late.opus");
  await writeFile(file, Buffer.concat([Buffer.from("ID3 no Opus yet"), await readFile(stereoFixture)]));
  const [whole, late] = await Promise.all(
    [stereoFixture, file].map(async (input) =>
      JSON.parse((await longwave(input, `${join(folder, "late")}${input.length}.wav`, "--json")).stdout),
    ),
  );
  expect(late).toMatchObject({ frames: whole.frames, damagedBytes: 15, gaps: 0 });
});

test("standard input may begin with less than a header", async () => {
  const bytes = await readFile(stereoFixture);
  const child = spawn(process.execPath, [main, "opus", "decode", "-", join(folder, "slow.wav"), "--json"]);
  child.stdin.write(bytes.subarray(0, 3));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  child.stdin.end(bytes.subarray(3));
  expect(JSON.parse(await text(child.stdout))).toMatchObject({ truncated: false, gaps: 0 });
});

test("a chain that cannot go on leaves a file of the length so far", async () => {
  const mono = join(folder, "mono.opus");
  const pieces: Uint8Array[] = [];
  const writer = new OggOpusWriter((bytes) => pieces.push(bytes.slice()), {
    head: plainOpusHead(1, 312),
    serial: 1,
  });
  for (let i = 0; i < 5; i++) writer.write(packets[i]!);
  writer.finish();
  await writeFile(mono, Buffer.concat([...pieces, await readFile(stereoFixture)]));
  const out = join(folder, "chain.wav");
  const { code, stderr } = await longwave(mono, out);
  expect([code, stderr]).toEqual([3, expect.stringContaining("--force-stereo")]);
  const wav = await readFile(out);
  expect(wav.readUInt32LE(4)).toBe(wav.length - 8);
});

test("pre-skip and end trim hold when the first and last packets are lost and --fec is on", async () => {
  const trace = join(folder, "trace.txt");
  const stereo = repositoryPath("packages/media/test/fixtures/stereo.opus");
  const out = join(folder, "fec.wav");
  const { frames } = JSON.parse((await longwave(stereo, out, "--json")).stdout);
  for (const marks of [`1${"0".repeat(200)}`, "1"]) {
    await writeFile(trace, marks);
    for (const fec of [[], ["--fec"]]) {
      const { stdout } = await longwave(stereo, out, "--loss-trace", trace, "--json", ...fec);
      expect(JSON.parse(stdout).frames).toBe(frames);
    }
  }
});

test("a malformed packet after a loss is concealed with --fec, too", async () => {
  const bad = join(folder, "bad.bit");
  const trace = join(folder, "bad-trace.txt");
  const tone = await readFile(join(folder, "tone.bit"));
  const first = tone.subarray(0, 8 + packets[0]!.length);
  await writeFile(bad, Buffer.concat([first, first, Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 3]), first]));
  await writeFile(trace, "0100");
  const { code, stdout } = await longwave(
    bad,
    join(folder, "x.wav"),
    "--fec",
    "--json",
    "--loss-trace",
    trace,
  );
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ frames: 4 * 960, lost: 1, malformed: 1 });
});

test("a file that was cut says so; one without a packet makes no output", async () => {
  const whole = await readFile(repositoryPath("packages/media/test/fixtures/stereo.opus"));
  const cut = join(folder, "cut.opus");
  await writeFile(cut, whole.subarray(0, whole.length - 40));
  const { stdout, code } = await longwave(cut, join(folder, "cut.wav"), "--json");
  if (code === 0) expect(JSON.parse(stdout).truncated).toBe(true);
  else expect(code).toBe(3);
  await writeFile(cut, whole.subarray(0, whole.indexOf("OggS", whole.indexOf("OpusTags")) + 20));
  expect((await longwave(cut, join(folder, "none.wav"))).code).toBe(3);
  await expect(readFile(join(folder, "none.wav"))).rejects.toThrow();
});

test.skipIf(!tools)(
  `5.1 has opusdec's channel order${tools ? "" : " (skipped: opus-tools absent)"}`,
  async () => {
    const surround = repositoryPath("packages/media/test/fixtures/surround.opus");
    await run("opusdec", ["--quiet", "--no-dither", surround, join(folder, "theirs6.wav")]);
    expect((await longwave(surround, join(folder, "ours6.wav"))).code).toBe(0);
    const [ours, theirs] = await Promise.all(
      ["ours6.wav", "theirs6.wav"].map(async (name) => {
        const bytes = await readFile(join(folder, name));
        const start = bytes.indexOf("data") + 8;
        return new Int16Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
      }),
    );
    expect(ours!.length).toBe(theirs!.length);
    expect(ours!.every((value, i) => Math.abs(value - theirs![i]!) <= 1)).toBe(true);
  },
);

test.skipIf(!tools)(
  `opusenc's file decodes as opusdec does, within 1 LSB${tools ? "" : " (skipped: opus-tools absent)"}`,
  async () => {
    const file = join(folder, "tone.opus");
    const ranges = join(folder, "ranges.txt");
    await run("opusenc", [
      "--quiet",
      "--bitrate",
      "48",
      "--save-range",
      ranges,
      join(folder, "tone.wav"),
      file,
    ]);
    await run("opusdec", ["--quiet", "--no-dither", "--rate", "48000", file, join(folder, "theirs.wav")]);
    const ourRanges = join(folder, "our-ranges.txt");
    expect((await longwave(file, join(folder, "ours.wav"), "--save-range", ourRanges)).code).toBe(0);
    const read = async (name: string) => {
      const bytes = await readFile(join(folder, name));
      const start = bytes.indexOf("data") + 8;
      return new Int16Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
    };
    const [ours, theirs] = await Promise.all([read("ours.wav"), read("theirs.wav")]);
    expect(ours.length).toBe(theirs.length);
    expect(ours.every((value, i) => Math.abs(value - theirs[i]!) <= 1)).toBe(true);
    // opusenc's own record of the encoder's final ranges.
    const encoderRanges = (await readFile(ranges, "utf8"))
      .trim()
      .split("\n")
      .map((line) => /(\d+)\]*$/.exec(line)?.[1]);
    const decoderRanges = (await readFile(ourRanges, "utf8"))
      .trim()
      .split("\n")
      .map((line) => line.split(", ")[1]);
    expect(decoderRanges).toEqual(encoderRanges);
  },
);
