import { isLongwaveError } from "@longwave/base";
import { encodeWav } from "@longwave/media";
import {
  concatenate,
  type ServedSpeech,
  type SpeechService,
  streamingWavHeader,
  toReferenceInt16,
} from "@longwave/tts";
import { ServerError } from "../errors.ts";
import { readJsonObject } from "../limits.ts";
import type { Metrics } from "../metrics.ts";
import { problemOf } from "../problem.ts";
import { json, listOf, objectOf, type Route, type Schema, text, textOrNull } from "../route.ts";
import type { FetchPolicy } from "../speech/fetch-recording.ts";
import { oggOpusOf } from "../speech/ogg-opus.ts";
import {
  formOrJson,
  maxFormBytes,
  openAiRequest,
  type SpeechFormat,
  type SpeechInput,
  speechFormats,
  speechRequest,
} from "../speech/speech-request.ts";
import { StreamAnswer, sourceOf } from "../stream-answer.ts";

const speechAnswer = {
  status: 200,
  description: "The speech.",
  contentType: ["audio/wav", "audio/pcm", "audio/ogg"],
} as const;
const speechBody: Schema = objectOf(
  {
    text,
    voice: text,
    engine: text,
    seed: { type: "integer", minimum: 0 },
    chunk: { type: "boolean" },
    pauses: { type: "boolean" },
    joinShort: { type: "boolean" },
    format: { type: "string", enum: speechFormats },
  },
  ["voice", "engine", "seed", "chunk", "pauses", "joinShort", "format"],
);
const openAiBody: Schema = objectOf(
  {
    model: text,
    input: text,
    voice: { anyOf: [text, objectOf({ id: text })] },
    response_format: { type: "string", enum: speechFormats },
    speed: { type: "number" },
  },
  ["model", "voice", "response_format", "speed"],
);
const voiceSchema = objectOf(
  { id: text, engine: text, license: text, language: textOrNull, attribution: textOrNull },
  ["language", "attribution"],
);

/** Spoken text: plain JSON, the form of the reference, frames as they are made, and OpenAI's shape. */
export function speechRoutes(service: SpeechService, metrics: Metrics, policy: FetchPolicy): Route[] {
  observe(service, metrics);
  // The service's own limit comes first (504); what is left is for reading a form and fetching a recording.
  const timeoutMs = service.requestTimeoutMs + 60_000;
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
    body: {
      contentType: ["application/json", "multipart/form-data", "application/x-www-form-urlencoded"],
      description: "What to say.",
      schema: speechBody,
    },
    maxBodyBytes: maxFormBytes,
    timeoutMs,
    answer: speechAnswer,
    handle: async (context, signal) => {
      const request = context.req.raw;
      const type = request.headers.get("content-type") ?? "";
      if (/^(multipart\/form-data|application\/x-www-form-urlencoded)/.test(type)) {
        const { isForm, input } = await formOrJson(request, type, service, policy, signal);
        const speech = await speak(service, input, signal, request);
        if (!isForm) return spoken(speech, input.format);
        return streamed(speech, "wav", {
          "content-disposition": "attachment; filename=generated_speech.wav",
        });
      }
      const body = speechRequest(await readJsonObject(request));
      const speech = await speak(service, body, signal, request);
      return spoken(speech, body.format);
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
      timeoutMs,
      answer: speechAnswer,
      handle: async (context, signal) => {
        const body = speechRequest(await readJsonObject(context.req.raw));
        return streamed(await speak(service, body, signal, context.req.raw), body.format);
      },
    },
    {
      method: "post",
      path: "/v1/audio/speech",
      tag: "Speech",
      summary: "Speaks a text, in the shape of OpenAI's interface",
      body: { contentType: "application/json", description: "OpenAI's request.", schema: openAiBody },
      timeoutMs,
      answer: speechAnswer,
      handle: async (context, signal) => {
        try {
          const body = openAiRequest(await readJsonObject(context.req.raw));
          return streamed(await speak(service, body, signal, context.req.raw), body.format);
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
  { text: input, format: _, ...options }: SpeechInput,
  signal: AbortSignal,
  request: Request,
): Promise<ServedSpeech> {
  try {
    return await service.speak(input, { ...options, signal: AbortSignal.any([request.signal, signal]) });
  } catch (error) {
    throw withStatus(error);
  }
}

/** Statuses that say more than the kind of the error does. */
const statuses: Readonly<Record<string, number>> = {
  "tts/voice-unknown": 404,
  "tts/queue-full": 429,
  "tts/upload-too-large": 413,
  "tts/timeout": 504,
  // An engine behind us failed; the client did nothing wrong.
  "tts/process-timeout": 504,
  "tts/non-zero-exit": 502,
  "tts/wav-malformed": 502,
  "tts/format-unsupported": 502,
  "tts/output-too-large": 502,
};

function withStatus(error: unknown): unknown {
  const status = isLongwaveError(error) ? statuses[error.code] : undefined;
  if (status === undefined || !isLongwaveError(error)) return error;
  return new ServerError(error.code as `server/${string}`, error.kind, error.message, {
    cause: error,
    status,
  });
}

/** WAV in one piece, with its length; else a stream. */
function spoken(speech: ServedSpeech, format: SpeechFormat): Promise<Response> | StreamAnswer {
  return format === "wav" ? complete(speech) : streamed(speech, format);
}

async function complete(speech: ServedSpeech): Promise<Response> {
  const pcm = await concatenate(speech);
  const bytes = encodeWav(pcm, { sampleRate: speech.sampleRate, channels: 1 });
  return new Response(bytes as Uint8Array<ArrayBuffer>, { headers: headersOf(speech, "audio/wav") });
}

/** A body that pulls: a slow client slows the synthesis down, one that leaves ends it. */
function streamed(
  speech: ServedSpeech,
  format: SpeechFormat,
  extra: Readonly<Record<string, string>> = {},
): StreamAnswer {
  const pieces = sourceOf(
    format === "opus" ? oggOpusOf(speech, speech.sampleRate) : plainPieces(speech, format),
  );
  const open = () => ({
    next: pieces.next,
    close: async () => {
      await speech.cancel();
      await pieces.close();
    },
  });
  return new StreamAnswer(open, { ...headersOf(speech, contentTypes[format](speech)), ...extra });
}

async function* plainPieces(speech: ServedSpeech, format: "wav" | "pcm"): AsyncGenerator<Uint8Array> {
  if (format === "wav") yield streamingWavHeader(speech.sampleRate);
  for await (const block of speech) yield toReferenceInt16(block);
}

const contentTypes: Readonly<Record<SpeechFormat, (speech: ServedSpeech) => string>> = {
  wav: () => "audio/wav",
  pcm: ({ sampleRate }) => `audio/pcm;rate=${sampleRate};encoding=s16le`,
  opus: () => "audio/ogg;codecs=opus",
};

function headersOf(speech: ServedSpeech, type: string): Record<string, string> {
  return {
    "content-type": type,
    "cache-control": "no-store",
    "x-speech-engine": speech.engine,
    "x-speech-voice": speech.voice,
  };
}

/** OpenAI's clients expect the error inside an object of that name. */
function openAiError(error: unknown): Response {
  const { status, detail, code } = problemOf(error);
  const type = status >= 500 ? "server_error" : "invalid_request_error";
  return json({ error: { message: detail, type, param: null, code } }, status);
}

/** Upper ends in seconds, and of the real-time factor: what listeners notice. */
const durationBuckets = [0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30, 60];
const factorBuckets = [0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.6, 0.8, 1, 2, 5];

function observe(service: SpeechService, metrics: Metrics): void {
  service.onReport(({ code, seconds, firstSeconds, spokenSeconds }) => {
    if (firstSeconds !== undefined) {
      metrics.observe(
        "longwave_speech_first_audio_seconds",
        "From asking to the first block.",
        firstSeconds,
        durationBuckets,
      );
    }
    if (code !== undefined || spokenSeconds === 0) return;
    metrics.observe("longwave_speech_seconds", "From asking to the last block.", seconds, durationBuckets);
    metrics.observe(
      "longwave_speech_real_time_factor",
      "Time it took by sound made, waiting included.",
      seconds / spokenSeconds,
      factorBuckets,
    );
  });
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
