import { readFileSync } from "node:fs";
import { openChromiumPage } from "../chromium-page.ts";

/** What MediaRecorder is asked for. */
export interface Recording {
  readonly wavPath: string;
  readonly bitsPerSecond: number;
  readonly bitrateMode: "constant" | "variable";
}

/** Plays WAV files into Chromium's MediaRecorder; returns the WebM files, and the browser's version. */
export async function recordInChromium(
  recordings: readonly Recording[],
): Promise<{ version: string; files: Buffer[] }> {
  const { page, version, close } = await openChromiumPage("", (path) => {
    const index = /^\/sound\/(\d+)$/.exec(path)?.[1];
    return index === undefined ? undefined : readFileSync(recordings[Number(index)]!.wavPath);
  });
  try {
    const files: Buffer[] = [];
    for (const [index, { bitsPerSecond, bitrateMode }] of recordings.entries()) {
      const base64 = await page.evaluate(record, { index, bitsPerSecond, bitrateMode });
      files.push(Buffer.from(base64, "base64"));
    }
    return { version, files };
  } finally {
    await close();
  }
}

/** Runs in the page. */
async function record(plan: {
  index: number;
  bitsPerSecond: number;
  bitrateMode: "constant" | "variable";
}): Promise<string> {
  const context = new AudioContext({ sampleRate: 48_000 });
  const buffer = await context.decodeAudioData(await (await fetch(`/sound/${plan.index}`)).arrayBuffer());
  const source = new AudioBufferSourceNode(context, { buffer });
  const destination = new MediaStreamAudioDestinationNode(context, { channelCount: buffer.numberOfChannels });
  source.connect(destination);
  const recorder = new MediaRecorder(destination.stream, {
    mimeType: "audio/webm;codecs=opus",
    audioBitsPerSecond: plan.bitsPerSecond,
    audioBitrateMode: plan.bitrateMode,
  } as MediaRecorderOptions);
  const pieces: Blob[] = [];
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  const stopped = new Promise((resolve) => {
    recorder.onstop = resolve;
  });
  recorder.start(250);
  source.start();
  await new Promise((resolve) => {
    source.onended = resolve;
  });
  recorder.stop();
  await stopped;
  await context.close();
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
