import { predefinedVoices, type SpeakOptions, type SpeechService, TtsError } from "@longwave/tts";
import { ServerError } from "../errors.ts";
import { jsonObject, readBody, refuseUnknown } from "../limits.ts";
import { type FetchPolicy, fetchRecording } from "./fetch-recording.ts";
import { readRecording } from "./read-recording.ts";

/** Forms of an answer: WAV, 16-bit PCM, Ogg Opus. */
export type SpeechFormat = "wav" | "pcm" | "opus";
export const speechFormats: readonly SpeechFormat[] = ["wav", "pcm", "opus"];

/** What a request asks for, whatever its shape. */
export interface SpeechInput extends Omit<SpeakOptions, "signal" | "sampling"> {
  readonly text: string;
  readonly format: SpeechFormat;
}

/** Largest form, with a recording inside. */
export const maxFormBytes: number = 16 * 1024 * 1024;

function bad(message: string): never {
  throw new ServerError("server/bad-request", "usage", message);
}

/** Names only: an external program might open a path, or fetch an address, that a client gives as a voice. */
const voiceName = /^(?!-)[\w.+-]{1,64}$/;

/** @throws ServerError `server/bad-request` */
export function checkVoice(voice: string | undefined): void {
  if (voice === undefined || voiceName.test(voice)) return;
  bad('"voice" must be the name of a voice: at most 64 letters, digits, . _ + or -.');
}

function isFormat(value: unknown): value is SpeechFormat {
  return speechFormats.includes(value as SpeechFormat);
}

const quotedFormats = speechFormats.map((format) => `"${format}"`).join(", ");

/** Our own JSON. @throws ServerError `server/bad-request` for unknown fields and wrong types */
export function speechRequest(body: Record<string, unknown>): SpeechInput {
  const { text, voice, engine, seed, chunk, pauses, joinShort, format = "wav", ...rest } = body;
  refuseUnknown(rest);
  if (typeof text !== "string") bad('"text" must be a string.');
  for (const [key, value] of Object.entries({ voice, engine })) {
    if (value !== undefined && typeof value !== "string") bad(`"${key}" must be a string.`);
  }
  checkVoice(voice as string | undefined);
  for (const [key, value] of Object.entries({ chunk, pauses, joinShort })) {
    if (value !== undefined && typeof value !== "boolean") bad(`"${key}" must be true or false.`);
  }
  if (seed !== undefined && !(Number.isSafeInteger(seed) && (seed as number) >= 0))
    bad('"seed" must be a whole number.');
  if (!isFormat(format)) bad(`"format" must be one of ${quotedFormats}.`);
  return {
    text: text as string,
    voice: voice as string | undefined,
    engine: engine as string | undefined,
    seed: seed as number | undefined,
    chunk: chunk as boolean | undefined,
    pauses: pauses as boolean | undefined,
    joinShort: joinShort as boolean | undefined,
    format: format as SpeechFormat,
  };
}

/** OpenAI's JSON. @throws ServerError `server/bad-request` naming what is supported */
export function openAiRequest(body: Record<string, unknown>): SpeechInput {
  const { input, voice, response_format: format = "wav", speed = 1 } = body;
  if (typeof input !== "string") bad('"input" must be a string.');
  if (!isFormat(format)) {
    bad(
      `response_format ${JSON.stringify(format)?.slice(0, 40)} is not supported; use one of ${quotedFormats}.`,
    );
  }
  if (speed !== 1) bad('Only "speed" 1 is supported.');
  const id = typeof voice === "object" && voice !== null ? (voice as { id?: unknown }).id : voice;
  if (id !== undefined && typeof id !== "string") bad('"voice" must be a name or {"id": name}.');
  checkVoice(id as string | undefined);
  return { text: input as string, voice: id as string | undefined, format: format as SpeechFormat };
}

/**
 * A form, or the JSON that `curl -d` declares to be one: no form that has a `text` begins with a brace.
 *
 * @returns whether it was a form, which is answered in a stream
 * @throws as `speechRequest` and `readForm`
 */
export async function formOrJson(
  request: Request,
  type: string,
  service: SpeechService,
  policy: FetchPolicy,
  signal: AbortSignal,
): Promise<{ isForm: boolean; input: SpeechInput }> {
  const bytes = await readBody(request, maxFormBytes);
  const start = String.fromCharCode(...bytes.subarray(0, 64));
  if (type.startsWith("application/x-www-form-urlencoded") && /^\s*\{/.test(start))
    return { isForm: false, input: speechRequest(jsonObject(bytes)) };
  return { isForm: true, input: await readForm(bytes, type, service, policy, signal) };
}

/**
 * The reference's form: `text`, and `voice_url` (the name of a voice, or an address on the list of hosts) or `voice_wav` (a
 * recording) but not both.
 * @throws ServerError `server/bad-request`; TtsError `tts/cloning-unavailable`, `tts/voice-url-refused`, `tts/upload-too-large`
 */
async function readForm(
  bytes: Uint8Array,
  type: string,
  service: SpeechService,
  policy: FetchPolicy,
  signal: AbortSignal,
): Promise<SpeechInput> {
  let form: FormData;
  try {
    form = await new Response(bytes as Uint8Array<ArrayBuffer>, {
      headers: { "content-type": type },
    }).formData();
  } catch (cause) {
    throw new ServerError("server/bad-request", "usage", "The form cannot be read.", { cause });
  }
  const text = form.get("text");
  if (typeof text !== "string") bad('The form has no "text".');
  const url = form.get("voice_url");
  const upload = form.get("voice_wav");
  if (url !== null && upload !== null) bad('Give "voice_url" or "voice_wav", not both.');
  const input = { text: text as string, format: "wav" } as const;
  if (upload !== null) {
    if (typeof upload === "string") bad('"voice_wav" must be a file.');
    mustClone(service);
    const recording = await readRecording(new Uint8Array(await (upload as File).arrayBuffer()));
    return { ...input, recording };
  }
  if (url === null) return input;
  if (typeof url === "string" && voiceName.test(url)) return { ...input, voice: url };
  if (typeof url !== "string" || policy.hosts.length === 0) {
    throw new TtsError(
      "tts/voice-url-refused",
      `"voice_url" must be the name of a voice (${predefinedVoices.slice(0, 3).join(", ")} …): addresses are not fetched.`,
    );
  }
  mustClone(service);
  return { ...input, recording: await readRecording(await fetchRecording(url, policy, signal)) };
}

function mustClone(service: SpeechService): void {
  if (service.canClone) return;
  throw new TtsError(
    "tts/cloning-unavailable",
    "This server does not make voices from recordings: it needs a model with an encoder, and --cloning.",
  );
}
