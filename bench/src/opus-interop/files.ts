import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromiumPath } from "../chromium-page.ts";
import { testWav } from "./material.ts";
import { recordInChromium } from "./recorder.ts";

/** An Opus file that somebody else made. */
export interface ForeignFile {
  readonly maker: string;
  readonly name: string;
  readonly path: string;
  /** DTX leaves comfort noise to the decoder, which libopus 1.3.1 and 1.6.1 make differently. */
  readonly hasDtx?: boolean;
  /** opusdec knows the mapping families 0 and 1 only. */
  readonly opusdecRefuses?: boolean;
}

/** Runs a program; throws with its last words where it fails. */
export function run(program: string, args: readonly string[]): Buffer {
  const result = spawnSync(program, args, { maxBuffer: 1 << 28, timeout: 60_000 });
  if (result.status === 0) return result.stdout;
  throw new Error(`${program}: ${result.error?.message ?? result.stderr.toString().trim().slice(-300)}`);
}

/** Sounds: channels, speech-like or music, frames beyond whole seconds. */
const sounds = {
  voice: [1, true, 13],
  duet: [2, true, 777],
  music: [2, false, 501],
  quad: [4, false, 0],
  surround: [6, false, 99],
  cinema: [8, false, 0],
} as const;

type Sound = keyof typeof sounds;

/** `--set-ctl-int` of opusenc: DTX and in-band redundancy have no option of their own. */
const dtx = ["--set-ctl-int", "4016=1"] as const;
const fec = ["--set-ctl-int", "4012=1", "--expect-loss", "20"];

const byOpusenc: readonly (readonly [name: string, sound: Sound, options: readonly string[]])[] = [
  ["mono 24 kbit/s", "voice", ["--bitrate", "24"]],
  ["mono 6 kbit/s, 60 ms", "voice", ["--bitrate", "6", "--framesize", "60"]],
  ["mono 10 kbit/s, voice", "voice", ["--bitrate", "10", "--speech"]],
  ["mono 16 kbit/s, DTX", "voice", ["--bitrate", "16", "--speech", ...dtx]],
  ["mono 20 kbit/s, FEC", "voice", ["--bitrate", "20", "--speech", ...fec]],
  ["mono 32 kbit/s, hybrid", "voice", ["--bitrate", "32", "--speech"]],
  ["stereo 14 kbit/s", "duet", ["--bitrate", "14"]],
  ["stereo 40 kbit/s, FEC", "duet", ["--bitrate", "40", "--speech", ...fec]],
  ["stereo 96 kbit/s", "music", ["--bitrate", "96"]],
  ["stereo 128 kbit/s, constant, 2.5 ms", "music", ["--bitrate", "128", "--hard-cbr", "--framesize", "2.5"]],
  ["stereo 256 kbit/s, 5 ms", "music", ["--bitrate", "256", "--framesize", "5"]],
  ["4 channels, family 1", "quad", ["--bitrate", "160"]],
  ["5.1, family 1", "surround", ["--bitrate", "256"]],
  ["7.1, family 1", "cinema", ["--bitrate", "320"]],
];

const byFfmpeg: readonly (readonly [
  name: string,
  sound: Sound,
  extension: string,
  options: readonly string[],
])[] = [
  [
    "mono 12 kbit/s, voip, 60 ms",
    "voice",
    "webm",
    "-b:a 12k -application voip -frame_duration 60".split(" "),
  ],
  ["mono 24 kbit/s, FEC", "voice", "opus", "-b:a 24k -application voip -fec 1 -packet_loss 20".split(" ")],
  ["mono 24 kbit/s, 120 ms", "voice", "opus", "-b:a 24k -frame_duration 120".split(" ")],
  ["stereo 64 kbit/s", "music", "webm", "-b:a 64k".split(" ")],
  [
    "stereo 96 kbit/s, low delay, 5 ms",
    "music",
    "opus",
    "-b:a 96k -application lowdelay -frame_duration 5".split(" "),
  ],
  ["stereo 510 kbit/s, constant", "music", "opus", "-b:a 510k -vbr off".split(" ")],
  ["5.1, family 1", "surround", "webm", "-b:a 256k".split(" ")],
  ["7.1, family 1", "cinema", "opus", "-b:a 320k -mapping_family 1".split(" ")],
  ["4 channels, family 2", "quad", "opus", "-b:a 200k -mapping_family 2".split(" ")],
  ["4 channels, family 255", "quad", "opus", "-b:a 200k -mapping_family 255".split(" ")],
];

const recordings = [
  { name: "mono 16 kbit/s", sound: "voice", bitsPerSecond: 16_000, bitrateMode: "variable" },
  { name: "stereo 96 kbit/s", sound: "music", bitsPerSecond: 96_000, bitrateMode: "variable" },
  { name: "stereo 128 kbit/s, constant", sound: "music", bitsPerSecond: 128_000, bitrateMode: "constant" },
] as const;

/** Makes all files in `folder`; what an absent program would make is left out. */
export async function makeFiles(folder: string): Promise<ForeignFile[]> {
  const wavOf = (sound: Sound): string => {
    const path = join(folder, `${sound}.wav`);
    const [channels, isSpeech, extraFrames] = sounds[sound];
    if (!existsSync(path)) writeFileSync(path, testWav(channels, isSpeech, extraFrames));
    return path;
  };
  const files: ForeignFile[] = [];
  byOpusenc.forEach(([name, sound, options], index) => {
    const path = join(folder, `opusenc-${index}.opus`);
    run("opusenc", ["--quiet", "--serial", String(index), ...options, wavOf(sound), path]);
    files.push({ maker: "opusenc", name, path, hasDtx: options.includes(dtx[1]) });
  });
  const chained = join(folder, "chained.opus");
  writeFileSync(chained, Buffer.concat([files[0]!, files[4]!].map(({ path }) => readFileSync(path))));
  files.push({ maker: "opusenc", name: "two mono files in a chain", path: chained });
  byFfmpeg.forEach(([name, sound, extension, options], index) => {
    const path = join(folder, `ffmpeg-${index}.${extension}`);
    run("ffmpeg", ["-v", "error", "-y", "-i", wavOf(sound), "-c:a", "libopus", ...options, path]);
    const opusdecRefuses = /family (2|255)$/.test(name);
    files.push({ maker: `ffmpeg, ${extension}`, name, path, opusdecRefuses });
  });
  if (existsSync(chromiumPath)) {
    const plans = recordings.map((each) => ({ ...each, wavPath: wavOf(each.sound) }));
    const recorded = await recordInChromium(plans);
    recorded.files.forEach((bytes, index) => {
      const path = join(folder, `chromium-${index}.webm`);
      writeFileSync(path, bytes);
      files.push({
        maker: `Chromium ${recorded.version.split(".")[0]}`,
        name: recordings[index]!.name,
        path,
      });
    });
  }
  return files;
}
