import { computed, signal } from "@preact/signals";
import { problemText } from "../api.ts";
import { tooLarge } from "../format.ts";
import { lastOnAir } from "./archive-feed.ts";
import type {
  LabAnswer,
  LabApplication,
  LabCoded,
  LabConstellation,
  LabMarked,
  LabQuestion,
} from "./lab-messages.ts";
import LabWorker from "./lab-worker.ts?worker";

/** The piece of sound that the Lab works on. */
export interface LabSound {
  readonly name: string;
  /** Interleaved stereo, 48 kHz. */
  readonly pcm: Float32Array<ArrayBuffer>;
  readonly seconds: number;
}

export const labRates = [8, 12, 16, 24, 32, 48, 64, 96, 128] as const;
export const maxSeconds = 60;
const maxFileBytes = 100e6;

export const labSound = signal<LabSound | undefined>(undefined);
export const labRate = signal<number>(32);
export const labApplication = signal<LabApplication>("audio");
export const labLosses = [0, 5, 10, 20] as const;
/** Packets of a hundred that do not arrive. */
export const labLoss = signal<number>(0);
export const labProblem = signal("");
export const labBusy = signal("");
/** What is put into the sound: the secret, and 8 hexadecimal digits. */
export const labKey = signal("longwave");
export const labPayload = signal("0000002a");
const marks = signal<ReadonlyMap<string, LabMarked>>(new Map());
const coded = signal<ReadonlyMap<string, LabCoded>>(new Map());
const constellations = signal<ReadonlyMap<string, LabConstellation>>(new Map());

const key = computed(() => `${labApplication.value} ${labRate.value} ${labLoss.value}`);
/** The sound as it comes out of the codec at the chosen rate. */
export const labCoded = computed(() => coded.value.get(key.value));
const markKey = computed(() => `${key.value} ${labPayload.value} ${labKey.value}`);
/** What became of the mark at the chosen rate; undefined until it is asked for. */
export const labMarked = computed(() => marks.value.get(markKey.value));
export const originalConstellation = computed(() => constellations.value.get("original"));
export const codedConstellation = computed(() => constellations.value.get(key.value));

let worker: Worker | undefined;
let count = 0;
const waiting = new Map<number, (answer: LabAnswer) => void>();

type Unnumbered<T> = T extends unknown ? Omit<T, "number"> : never;

function ask(question: Unnumbered<LabQuestion>): Promise<LabAnswer> {
  if (worker === undefined) {
    worker = new LabWorker();
    worker.onmessage = ({ data }: MessageEvent<LabAnswer>) => {
      waiting.get(data.number)?.(data);
      waiting.delete(data.number);
    };
    worker.onerror = () => {
      for (const [number, answer] of waiting) {
        answer({ number, kind: "failed", problem: "The codec could not be loaded; reload the page." });
      }
      waiting.clear();
    };
  }
  const number = ++count;
  return new Promise((resolve) => {
    waiting.set(number, resolve);
    worker!.postMessage({ ...question, number });
  });
}

/** Takes a file of any kind that the browser decodes. */
export async function takeFile(file: File): Promise<void> {
  if (file.size > maxFileBytes) {
    labProblem.value = tooLarge(file, maxFileBytes, "The Lab");
    return;
  }
  await take(file.name, () => file.arrayBuffer());
}

/** Takes what the station recorded last. */
export async function takeFromArchive(stream: string): Promise<void> {
  await take("The last 20 s on air", async () => (await lastOnAir(stream, 20)).arrayBuffer());
}

async function take(name: string, read: () => Promise<ArrayBuffer>): Promise<void> {
  labProblem.value = "";
  labBusy.value = `Reading ${name}`;
  try {
    const context = new OfflineAudioContext(2, 1, 48_000);
    const decoded = await context.decodeAudioData(await read()).catch((error: Error) => {
      throw error.name === "EncodingError"
        ? new Error(`${name} is no sound that this browser knows.`)
        : error;
    });
    const frames = Math.min(decoded.length, maxSeconds * 48_000);
    const left = decoded.getChannelData(0);
    const right = decoded.numberOfChannels > 1 ? decoded.getChannelData(1) : left;
    const pcm = new Float32Array(2 * frames);
    for (let i = 0; i < frames; i++) {
      pcm[2 * i] = left[i]!;
      pcm[2 * i + 1] = right[i]!;
    }
    coded.value = new Map();
    constellations.value = new Map();
    marks.value = new Map();
    labSound.value = { name, pcm, seconds: frames / 48_000 };
    await compute();
  } catch (error) {
    labProblem.value = problemText(error);
  }
  labBusy.value = "";
}

/** Makes what the chosen rate needs, unless it is there. */
export async function compute(): Promise<void> {
  const sound = labSound.value;
  if (sound === undefined) return;
  const wanted = key.value;
  labBusy.value = "Coding";
  try {
    if (!constellations.value.has("original")) await addConstellation("original", sound.pcm);
    if (!coded.value.has(wanted)) {
      const bitrateBps = labRate.value * 1000;
      const application = labApplication.value;
      const lossPercent = labLoss.value;
      const answer = await ask({ kind: "code", pcm: sound.pcm, bitrateBps, application, lossPercent });
      if (answer.kind === "failed") throw new Error(answer.problem);
      if (answer.kind === "coded" && labSound.value === sound) {
        coded.value = new Map(coded.value).set(wanted, answer);
        await addConstellation(wanted, answer.pcm);
      }
    }
  } catch (error) {
    labProblem.value = problemText(error);
  }
  labBusy.value = "";
}

/** Puts the mark into the sound and looks for it on the other side of the codec. */
export async function computeMark(): Promise<void> {
  const sound = labSound.value;
  if (sound === undefined || labMarked.value !== undefined) return;
  const wanted = markKey.value;
  labProblem.value = "";
  labBusy.value = "Marking";
  const answer = await ask({
    kind: "mark",
    pcm: sound.pcm,
    key: labKey.value,
    payload: labPayload.value,
    bitrateBps: labRate.value * 1000,
    application: labApplication.value,
    lossPercent: labLoss.value,
  });
  if (answer.kind === "failed") labProblem.value = answer.problem;
  if (answer.kind === "marked" && labSound.value === sound)
    marks.value = new Map(marks.value).set(wanted, answer);
  labBusy.value = "";
}

async function addConstellation(name: string, pcm: Float32Array<ArrayBuffer>): Promise<void> {
  const answer = await ask({ kind: "constellation", pcm });
  if (answer.kind === "failed") throw new Error(answer.problem);
  if (answer.kind === "constellation") {
    constellations.value = new Map(constellations.value).set(name, answer.constellation);
  }
}
