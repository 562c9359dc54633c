// `longwave opus encode` against Debian's opusinfo, opusdec and ffmpeg: no warning, and every sample accounted for.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { encodeWav } from "@longwave/media";
import { OpusEncoder } from "@longwave/opus";
import { afterAll, describe, expect, test } from "vitest";

const main = new URL("../dist/main.js", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "longwave-opus-encode-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const path = (name: string) => join(folder, name);
const hasTools = ["opusinfo", "opusdec", "ffmpeg"].every(
  (name) => spawnSync(name, ["-h"]).error === undefined,
);

function encode(parameters: readonly string[], input?: Uint8Array) {
  const run = spawnSync(process.execPath, [main, "opus", "encode", ...parameters], {
    input,
    maxBuffer: 1 << 26,
  });
  return { status: run.status, stdout: run.stdout, stderr: run.stderr.toString() };
}

/** Notes of a different pitch in every channel. */
function sound(frames: number, channels: number): Float32Array {
  const pcm = new Float32Array(frames * channels);
  for (let i = 0; i < pcm.length; i++) {
    const channel = i % channels;
    const frame = (i - channel) / channels;
    pcm[i] = 0.3 * Math.sin((frame * (channel + 2)) / 40) * (1 + 0.5 * Math.sin(frame / 5000));
  }
  return pcm;
}

function writeSound(name: string, frames: number, channels: number, sampleRate: number): string {
  writeFileSync(path(name), encodeWav(sound(frames, channels), { sampleRate, channels, encoding: "f32" }));
  return path(name);
}

/** A picture of `width` x 1 black pixels. */
function png(width: number): Buffer {
  const crc = (bytes: Buffer) => {
    let value = -1;
    for (const byte of bytes) {
      value ^= byte;
      for (let i = 0; i < 8; i++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
    }
    return ~value >>> 0;
  };
  const chunk = (name: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const whole = Buffer.alloc(8);
    whole.writeUInt32BE(data.length, 0);
    whole.writeUInt32BE(crc(body), 4);
    return Buffer.concat([whole.subarray(0, 4), body, whole.subarray(4)]);
  };
  const head = Buffer.from([0, 0, 0, width, 0, 0, 0, 1, 8, 2, 0, 0, 0]);
  const pixels = deflateSync(Buffer.alloc(1 + 3 * width));
  const magic = Buffer.from("89504e470d0a1a0a", "hex");
  return Buffer.concat([magic, chunk("IHDR", head), chunk("IDAT", pixels), chunk("IEND", Buffer.alloc(0))]);
}

/** Sample frames that opusdec makes of a file, at its rate. */
function opusdecFrames(file: string, rate: number, channels: number): number {
  const raw = `${file}.raw`;
  execFileSync("opusdec", ["--quiet", "--rate", String(rate), file, raw], { stdio: "ignore" });
  return readFileSync(raw).length / 2 / channels;
}

function expectNoWarnings(file: string): void {
  const info = spawnSync("opusinfo", [file], { encoding: "utf8" });
  expect(`${info.stdout}${info.stderr}`).not.toMatch(/warning|error|invalid/i);
  expect(info.status).toBe(0);
  const ffmpeg = spawnSync("ffmpeg", ["-v", "warning", "-i", file, "-f", "null", "-"], { encoding: "utf8" });
  expect(ffmpeg.stderr).toBe("");
}

describe("opus encode", () => {
  const skipped = hasTools ? "" : " (skipped: opus-tools or ffmpeg absent)";

  test.skipIf(!hasTools)(`a 44.1 kHz file with tags and a picture keeps its length${skipped}`, () => {
    const input = writeSound("a.wav", 30_011, 2, 44100);
    writeFileSync(path("p.png"), png(3));
    const tags = ["--title", "T", "--artist", "A", "--comment", "MOOD=calm", "--picture", path("p.png")];
    const { status, stdout } = encode([input, path("a.opus"), "--bitrate", "64", "--json", ...tags]);
    expect(status).toBe(0);
    const report = JSON.parse(stdout.toString());
    expect(report).toMatchObject({ sampleRate: 48000, inputSampleRate: 44100, channels: 2, preSkip: 312 });
    expect(report.modes.silk + report.modes.hybrid + report.modes.celt).toBe(report.packets);
    expectNoWarnings(path("a.opus"));
    expect(opusdecFrames(path("a.opus"), 48000, 2)).toBe(report.frames);
    expect(report.frames).toBe(Math.ceil((30_011 * 48000) / 44100));
    const info = execFileSync("opusinfo", [path("a.opus")], { encoding: "utf8" });
    expect(info).toContain("TITLE=T");
    expect(info).toContain("MOOD=calm");
    expect(info).toContain("METADATA_BLOCK_PICTURE=3|image/png||3x1x24|");
  });

  test.skipIf(!hasTools)(`5.1 in WAVE order comes back in WAVE order${skipped}`, () => {
    const input = writeSound("s.wav", 24_000, 6, 48000);
    expect(encode([input, path("s.opus"), "--bitrate", "512"]).status).toBe(0);
    expectNoWarnings(path("s.opus"));
    // To a WAV file opusdec gives WAVE order.
    execFileSync("opusdec", ["--quiet", "--float", path("s.opus"), path("s2.wav")], { stdio: "ignore" });
    const bytes = readFileSync(path("s2.wav"));
    const decoded = new Float32Array(bytes.buffer.slice(bytes.byteOffset + bytes.length - 24_000 * 24));
    const original = sound(24_000, 6);
    for (const channel of [0, 1, 2, 4, 5]) {
      let product = 0;
      let energy = 0;
      for (let i = 4800; i < 19_200; i++) {
        product += decoded[i * 6 + channel]! * original[i * 6 + channel]!;
        energy += original[i * 6 + channel]! ** 2;
      }
      expect(product / energy).toBeGreaterThan(0.9);
    }
  });

  test.skipIf(!hasTools)(`raw 16 kHz mono through pipes, 60 ms, constant rate, odd length${skipped}`, () => {
    const frames = 16_123;
    const pcm = Int16Array.from(sound(frames, 1), (value) => Math.round(value * 32767));
    const raw = ["--raw", "--raw-rate", "16000", "--raw-chan", "1"];
    const settings = ["--speech", "--framesize", "60", "--hard-cbr", "--bitrate", "24"];
    const { status, stdout } = encode(["-", "-", ...raw, ...settings], new Uint8Array(pcm.buffer));
    expect(status).toBe(0);
    writeFileSync(path("r.opus"), stdout);
    expectNoWarnings(path("r.opus"));
    expect(opusdecFrames(path("r.opus"), 48000, 1)).toBe(frames * 3);
    expect(execFileSync("opusinfo", [path("r.opus")], { encoding: "utf8" })).toContain("hard-CBR");
  });

  test("the packets are those of OpusEncoder, and equal input gives an equal file", () => {
    const input = writeSound("e.wav", 9600, 2, 48000);
    const settings = ["--bitrate", "48", "--comp", "5", "--cvbr", "--framesize", "10"];
    const ranges = path("ranges.txt");
    expect(
      encode([input, path("e.bit"), "--format", "bit", "--save-range", ranges, ...settings]).status,
    ).toBe(0);
    const bytes = readFileSync(path("e.bit"));
    using encoder = new OpusEncoder({ bitrateBps: 48000, complexity: 5, vbrConstraint: true });
    const packet = new Uint8Array(7662);
    const pcm = sound(9600, 2);
    const lines = readFileSync(ranges, "utf8").trim().split("\n");
    let at = 0;
    for (let i = 0; i < 10; i++) {
      const length = encoder.encode(pcm.subarray(i * 960, (i + 1) * 960), packet);
      expect(bytes.readUInt32BE(at)).toBe(length);
      expect(bytes.readUInt32BE(at + 4)).toBe(encoder.finalRange);
      expect(lines[i]).toBe(`${length}, ${encoder.finalRange}, 480`);
      expect(Buffer.compare(bytes.subarray(at + 8, at + 8 + length), packet.subarray(0, length))).toBe(0);
      at += 8 + length;
    }
    expect(encode([input, path("e1.opus"), ...settings]).status).toBe(0);
    expect(encode([input, path("e2.opus"), ...settings]).status).toBe(0);
    expect(readFileSync(path("e1.opus")).equals(readFileSync(path("e2.opus")))).toBe(true);
  });

  test("raw samples that end within a frame are told of; with - the report goes to standard error", () => {
    const { status, stdout, stderr } = encode(["-", "-", "--raw"], new Uint8Array(4 * 960 + 3));
    expect([status, stdout.subarray(0, 4).toString()]).toEqual([0, "OggS"]);
    expect(stderr).toContain("the last 3 bytes are no whole frame");
    expect(stderr).toMatch(/modes: celt 2/);
  });

  test("Ctrl-C ends the file properly and says how far it goes", async () => {
    const run = spawn(process.execPath, [
      main,
      "opus",
      "encode",
      "-",
      path("i.opus"),
      "--raw",
      "--comp",
      "0",
    ]);
    const exited = once(run, "exit");
    let said = "";
    run.stderr.on("data", (text) => {
      said += text;
    });
    run.stdin.on("error", () => undefined);
    const second = new Uint8Array(48_000 * 4);
    run.stdin.write(second);
    // The output exists once the first block was read: from then on an interruption is waited for.
    while (!existsSync(path("i.opus"))) await new Promise((resolve) => setTimeout(resolve, 20));
    run.kill("SIGINT");
    const more = setInterval(() => run.stdin.write(second), 50);
    expect((await exited)[0]).toBe(130);
    clearInterval(more);
    expect(said).toMatch(/Interrupted; .*i\.opus holds the first \d+\.\d+ s/);
    if (hasTools) expectNoWarnings(path("i.opus"));
  });

  test.each([
    [["absent.wav"], 2, /absent\.wav/],
    [["in.wav", "in.wav"], 2, /is the input itself/],
    [["in.wav", "o.opus", "--save-range", "/absent/ranges"], 2, /\/absent\/ranges cannot be written/],
    [["in.wav", "o.opus", "--family", "7"], 2, /0, 1, 2, 3 and 255/],
    [["in.wav", "o.opus", "--framesize", "15"], 2, /2\.5, 5, 10/],
    [["in.wav", "o.opus", "--comment", "nothing"], 2, /NAME=value/],
    [["in.wav", "o.opus", "--picture", "in.wav"], 2, /no PNG, JPEG or GIF/],
  ])("refuses %j", (parameters, code, message) => {
    writeSound("in.wav", 960, 1, 48000);
    const named = parameters.map((text) => (/\.(wav|opus)$/.test(text) ? path(text) : text));
    const { status, stderr } = encode(named);
    expect(stderr).toMatch(message);
    expect(status).toBe(code);
  });
});
