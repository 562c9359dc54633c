// Extraction speed of every profile, as seconds of sound a CPU second on one thread, beside Chromaprint's fpcalc (which also
// reads the WAV file; Debian package libchromaprint-tools) on the same sound. Ours works at the profile's own rate; the
// rows "from 44.1 kHz" include the resampler: there the target of extraction is an aim.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStream, type ProfileId, profileIds, profileOf } from "@longwave/fingerprint";
import { encodeWav } from "@longwave/media";
import { song } from "../corpus/song.js";
import { type Contestant, printReport, sideBySide } from "../side-by-side.js";

const seconds = 60;

/** Least seconds of sound a CPU second. */
const leastSpeed: Readonly<Record<ProfileId, number>> = {
  "wang-v1": 350,
  "panako-v2": 350,
  "haitsma-v1": 400,
  "mark-v1": 600,
};

/** What the target of the profile that `name` begins with says to a speed. */
function verdict(name: string, speed: number): string {
  const [profile, ...resampled] = name.split(" ");
  const least = leastSpeed[profile as ProfileId];
  if (resampled.length > 0) return `aim ${least} x: ${speed >= least ? "reached" : "not reached"}`;
  return `>= ${least} x: ${speed >= least ? "ok" : "MISSED"}`;
}

function ours(id: ProfileId, sampleRate: number, name: string): Contestant {
  const samples = song({ seed: 1, seconds, sampleRate });
  const stream = createStream(id, { sampleRate });
  const sink = () => undefined;
  const run = () => {
    stream.reset();
    stream.push(samples, sink);
    stream.flush(sink);
  };
  return { name, run, unitsPerRun: seconds };
}

/** CPU microseconds of fpcalc a second of sound, median of five runs; undefined where it is not installed. */
function fpcalcMicroseconds(): number | undefined {
  const folder = mkdtempSync(join(tmpdir(), "longwave-fpcalc-"));
  try {
    const file = join(folder, "song.wav");
    const form = { sampleRate: 11_025, channels: 1 };
    writeFileSync(file, encodeWav(song({ seed: 1, seconds, sampleRate: 11_025 }), form));
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      const script = `TIMEFORMAT='%U %S'; time fpcalc -length 0 -raw '${file}'`;
      const result = spawnSync("bash", ["-c", script], { encoding: "utf8" });
      const found = /([\d.]+) ([\d.]+)\s*$/.exec(result.stderr);
      // Debian's fpcalc 1.5.1 ends with status 3 at the end of every file, after it has printed the fingerprint.
      if (!result.stdout.includes("FINGERPRINT=") || found === null) return undefined;
      times.push(((Number(found[1]) + Number(found[2])) * 1e6) / seconds);
    }
    return times.sort((a, b) => a - b)[2];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const contestants = profileIds.flatMap((id) => [
  ours(id, profileOf(id).sampleRate, id),
  ours(id, 44_100, `${id} from 44.1 kHz`),
]);
const measured = sideBySide(contestants, { rounds: 5, millisecondsPerRound: 300 });
const fpcalc = fpcalcMicroseconds();
const rows = measured.map(({ name, microseconds, spread }) => ({
  profile: name,
  "x real time": Math.round(1e6 / microseconds),
  "x fpcalc speed": fpcalc === undefined ? "no fpcalc" : (fpcalc / microseconds).toFixed(2),
  "spread %": String(Math.round(spread * 100)),
  target: verdict(name, 1e6 / microseconds),
}));
if (fpcalc !== undefined) {
  rows.push({
    profile: "fpcalc, with reading a WAV file",
    "x real time": Math.round(1e6 / fpcalc),
    "x fpcalc speed": "1.00",
    "spread %": "",
    target: "",
  });
}
printReport(`Fingerprint extraction, ${seconds} s of music, one thread`, rows);
