import { isLongwaveError } from "@longwave/base";
import { encodeWav } from "@longwave/media";
import {
  concatenate,
  predefinedVoices,
  type ServedSpeech,
  type SpeakOptions,
  type SpeechService,
  streamingWavHeader,
  TtsError,
  toReferenceInt16,
} from "@longwave/tts";
import { ServerError } from "../errors.ts";
import { readBody, readJsonObject } from "../limits.ts";
import type { Metrics } from "../metrics.ts";
import { problemOf } from "../problem.ts";
import { json, listOf, objectOf, type Route, type Schema, text, textOrNull } from "../route.ts";

const maxFormBytes = 16 * 1024 * 1024;
const wavAnswer = { status: 200, description: "The speech.", contentType: "audio/wav" } as const;
const speechBody: Schema = objectOf(
  {
    text,
    voice: text,
    engine: text,
    seed: { type: "integer", minimum: 0 },
    chunk: { type: "boolean" },
    format: { type: "string", enum: ["wav", "pcm"] },
  },
  ["voice", "engine", "seed", "chunk", "format"],
);
const openAiBody: Schema = objectOf(
  {
    model: text,
    input: text,
    voice: { anyOf: [text, objectOf({ id: text })] },
    response_format: { type: "string", enum: ["wav", "pcm"] },
    speed: { type: "number" },
  },
  ["model", "voice", "response_format", "speed"],
);
const voiceSchema = objectOf(
  { id: text, engine: text, license: text, language: textOrNull, attribution: textOrNull },
  ["language", "attribution"],
);

/** Spoken text: plain JSON, the form of the reference, frames as they are made, and OpenAI's shape. */
export function speechRoutes(service: SpeechService, metrics: Metrics): Route[] {
  observe(service, metrics);
  const voices = (path: string): Route => ({
    method: "get",
    path,
    tag: "Speech",
    summary: "Lists the voices and the licences under which they may be used",
    answer: { status: 200, description: "All voices.", schema: listOf(voiceSchema) },
    handle: () => json(service.listVoices()),
  });
  const whole = (path: string): Route => ({
    method: "post",
    path,
    tag: "Speech",
    summary: "Speaks a text; a form answers in a stream",
    body: { contentType: "application/json", description: "What to say.", schema: speechBody },
    maxBodyBytes: maxFormBytes,
    timeoutMs: 120_000,
    answer: wavAnswer,
    handle: async (context, signal) => {
      const request = context.req.raw;
      const type = request.headers.get("content-type") ?? "";
      if (/^(multipart\/form-data|application\/x-www-form-urlencoded)/.test(type)) {
        const form = await readForm(request, type);
        return streamed(await speak(service, form.text, form, signal, request), "wav", {
          "content-disposition": "attachment; filename=generated_speech.wav",
        });
      }
      const body = speechRequest(await readJsonObject(request));
      const speech = await speak(service, body.text, body, signal, request);
      return body.format === "pcm" ? streamed(speech, "pcm") : complete(speech);
    },
  });
  return [
    voices("/v1/voices"),
    voices("/voices"),
    whole("/v1/speech"),
    whole("/tts"),
    {
      method: "post",
      path: "/tts/stream",
      tag: "Speech",
      summary: "Speaks a text, one block of sound as soon as it is made",
      body: { contentType: "application/json", description: "What to say.", schema: speechBody },
      timeoutMs: 60_000,
      answer: wavAnswer,
      handle: async (context, signal) => {
        const body = speechRequest(await readJsonObject(context.req.raw));
        return streamed(await speak(service, body.text, body, signal, context.req.raw), body.format);
      },
    },
    {
      method: "post",
      path: "/v1/audio/speech",
      tag: "Speech",
      summary: "Speaks a text, in the shape of OpenAI's interface",
      body: { contentType: "application/json", description: "OpenAI's request.", schema: openAiBody },
      timeoutMs: 60_000,
      answer: wavAnswer,
      handle: async (context, signal) => {
        try {
          const body = openAiRequest(await readJsonObject(context.req.raw));
          const speech = await speak(service, body.input, body, signal, context.req.raw);
          return body.format === "pcm" ? streamed(speech, "pcm") : streamed(speech, "wav");
        } catch (error) {
          return openAiError(error);
        }
      },
    },
  ];
}

/** Waits for the first block; the speech ends when the client goes away, or when the route's time is up before it began. */
async function speak(
  service: SpeechService,
  input: string,
  options: SpeakOptions,
  signal: AbortSignal,
  request: Request,
): Promise<ServedSpeech> {
  try {
    const { voice, engine, seed, chunk } = options;
    return await service.speak(input, {
      voice,
      engine,
      seed,
      chunk,
      signal: AbortSignal.any([request.signal, signal]),
    });
  } catch (error) {
    throw withStatus(error);
  }
}

/** Statuses that say more than the kind of the error does. */
const statuses: Readonly<Record<string, number>> = {
  "tts/voice-unknown": 404,
  "tts/queue-full": 429,
  "tts/timeout": 504,
};

function withStatus(error: unknown): unknown {
  const status = isLongwaveError(error) ? statuses[error.code] : undefined;
  if (status === undefined || !isLongwaveError(error)) return error;
  return new ServerError(error.code as `server/${string}`, error.kind, error.message, {
    cause: error,
    status,
  });
}

async function complete(speech: ServedSpeech): Promise<Response> {
  const pcm = await concatenate(speech);
  const bytes = encodeWav(pcm, { sampleRate: speech.sampleRate, channels: 1 });
  return new Response(bytes as Uint8Array<ArrayBuffer>, { headers: headersOf(speech, "audio/wav") });
}

/** A body that pulls: a slow client slows the synthesis down, one that leaves ends it. */
function streamed(
  speech: ServedSpeech,
  format: "wav" | "pcm",
  extra: Readonly<Record<string, string>> = {},
): Response {
  const blocks = speech[Symbol.asyncIterator]();
  let isFirst = format === "wav";
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (isFirst) {
          isFirst = false;
          controller.enqueue(streamingWavHeader(speech.sampleRate));
          return;
        }
        const { done, value } = await blocks.next();
        if (done === true) controller.close();
        else controller.enqueue(toReferenceInt16(value));
      },
      async cancel() {
        await speech.cancel();
      },
    },
    { highWaterMark: 0 },
  );
  const type = format === "wav" ? "audio/wav" : `audio/pcm;rate=${speech.sampleRate};encoding=s16le`;
  return new Response(body, { headers: { ...headersOf(speech, type), ...extra } });
}

function headersOf(speech: ServedSpeech, type: string): Record<string, string> {
  return {
    "content-type": type,
    "cache-control": "no-store",
    "x-speech-engine": speech.engine,
    "x-speech-voice": speech.voice,
  };
}

function bad(message: string): never {
  throw new ServerError("server/bad-request", "usage", message);
}

function speechRequest(
  body: Record<string, unknown>,
): SpeakOptions & { text: string; format: "wav" | "pcm" } {
  const { text: input, voice, engine, seed, chunk, format = "wav", ...rest } = body;
  for (const key of Object.keys(rest)) bad(`Unknown field "${key.slice(0, 60)}".`);
  if (typeof input !== "string") bad('"text" must be a string.');
  for (const [key, value] of Object.entries({ voice, engine })) {
    if (value !== undefined && typeof value !== "string") bad(`"${key}" must be a string.`);
  }
  if (seed !== undefined && !(Number.isSafeInteger(seed) && (seed as number) >= 0))
    bad('"seed" must be a whole number.');
  if (chunk !== undefined && typeof chunk !== "boolean") bad('"chunk" must be true or false.');
  if (format !== "wav" && format !== "pcm") bad('"format" must be "wav" or "pcm".');
  return {
    text: input as string,
    voice: voice as string | undefined,
    engine: engine as string | undefined,
    seed: seed as number | undefined,
    chunk: chunk as boolean | undefined,
    format: format as "wav" | "pcm",
  };
}

/** The reference's form: `text`, and `voice_url` or `voice_wav` but not both. */
async function readForm(request: Request, type: string): Promise<SpeakOptions & { text: string }> {
  const bytes = await readBody(request, maxFormBytes);
  let form: FormData;
  try {
    form = await new Response(bytes as Uint8Array<ArrayBuffer>, {
      headers: { "content-type": type },
    }).formData();
  } catch (cause) {
    throw new ServerError("server/bad-request", "usage", "The form cannot be read.", { cause });
  }
  const input = form.get("text");
  if (typeof input !== "string") bad('The form has no "text".');
  const url = form.get("voice_url");
  const recording = form.get("voice_wav");
  if (url !== null && recording !== null) bad('Give "voice_url" or "voice_wav", not both.');
  if (recording !== null) {
    throw new TtsError(
      "tts/cloning-unavailable",
      "This server does not make voices from uploads; add one first.",
    );
  }
  if (url !== null && (typeof url !== "string" || !/^[\w.-]{1,64}$/.test(url))) {
    throw new TtsError(
      "tts/voice-url-refused",
      `"voice_url" must be the name of a voice (${predefinedVoices.slice(0, 3).join(", ")} …): addresses are not fetched.`,
    );
  }
  return { text: input as string, voice: url === null ? undefined : (url as string) };
}

function openAiRequest(
  body: Record<string, unknown>,
): SpeakOptions & { input: string; format: "wav" | "pcm" } {
  const { input, voice, response_format: format = "wav", speed = 1 } = body;
  if (typeof input !== "string") bad('"input" must be a string.');
  if (format !== "wav" && format !== "pcm") {
    bad(`response_format ${JSON.stringify(format)?.slice(0, 40)} is not supported; use "wav" or "pcm".`);
  }
  if (speed !== 1) bad('Only "speed" 1 is supported.');
  const id = typeof voice === "object" && voice !== null ? (voice as { id?: unknown }).id : voice;
  if (id !== undefined && typeof id !== "string") bad('"voice" must be a name or {"id": name}.');
  return { input: input as string, voice: id as string | undefined, format: format as "wav" | "pcm" };
}

/** OpenAI's clients expect the error inside an object of that name. */
function openAiError(error: unknown): Response {
  const { status, detail, code } = problemOf(error);
  const type = status >= 500 ? "server_error" : "invalid_request_error";
  return json({ error: { message: detail, type, param: null, code } }, status);
}

function observe(service: SpeechService, metrics: Metrics): void {
  metrics.onCollect(() => {
    const each = service.statistics;
    const counter = (name: string, help: string, value: number) =>
      metrics.set(name, help, value, {}, "counter");
    counter("longwave_speech_requests_total", "Texts asked for.", each.requests);
    counter("longwave_speech_errors_total", "Texts refused, failed or left.", each.errors);
    counter("longwave_speech_finished_total", "Texts spoken to the end.", each.finished);
    counter("longwave_speech_spoken_seconds_total", "Sound made.", each.spokenSeconds);
    counter(
      "longwave_speech_synthesis_seconds_total",
      "Time it took, waiting included.",
      each.synthesisSeconds,
    );
    counter("longwave_speech_first_audio_seconds_total", "Time to first blocks.", each.firstAudioSeconds);
    metrics.set("longwave_speech_running", "Texts being spoken.", each.running);
    metrics.set("longwave_speech_queued", "Texts that wait.", each.queued);
  });
}
