import { createHash } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseModelConfig } from "../config/model-config.ts";
import { predefinedVoiceList } from "../config/predefined-voices.ts";
import {
  type PublishedModel,
  publishedConfigText,
  publishedModels,
  voiceLocation,
} from "../config/published-models.ts";
import { nearNames } from "../engine/near-names.ts";
import { TtsError } from "../errors.ts";
import {
  formatVoiceManifest,
  isNonCommercial,
  type ManifestVoice,
  parseVoiceManifest,
} from "../voice/voice-manifest.ts";

/** How to download a model. */
export interface DownloadOptions {
  /** One of the twelve configurations; default `english`. */
  readonly model?: string | undefined;
  /** The model gets a folder of its name in here. */
  readonly outDirectory: string;
  /** `owner/name` of a repository that has the weights at the same path, on its branch main; default the publisher's, at a fixed revision. */
  readonly repository?: string | undefined;
  /** Token of the hub, for the weights with voice cloning. */
  readonly token?: string | undefined;
  /** Default `https://huggingface.co`. */
  readonly endpoint?: string | undefined;
  /** Names of predefined voices; default the model's default voice. */
  readonly voices?: readonly string[] | undefined;
  /** Largest file in bytes; default 4 GiB. */
  readonly maxFileBytes?: number | undefined;
  readonly onProgress?: (file: string, doneBytes: number, totalBytes: number | undefined) => void;
  readonly signal?: AbortSignal | undefined;
}

/** One downloaded file, as the lock manifest records it. */
export interface LockedFile {
  /** Where it came from, with its revision. */
  readonly source: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What was downloaded. */
export interface DownloadResult {
  readonly directory: string;
  readonly hasCloning: boolean;
  /** Files that were there already, with the right sum. */
  readonly skipped: readonly string[];
  readonly fetched: readonly string[];
  /** The voices that were asked for, with their licences. */
  readonly voices: readonly ManifestVoice[];
}

const lockName = "download-manifest.lock.json";

/**
 * Downloads a published model: configuration, weights, tokenizer, voices. A broken transfer goes on where it ended; sums are written to
 * a lock manifest on the first download and must be met by every later one. The weights with voice cloning are gated: without a token
 * that may read them those without are taken.
 * @throws TtsError `tts/option-invalid`, `tts/voice-unknown`, `tts/download-failed`, `tts/checksum-mismatch`
 */
export async function downloadModel(options: DownloadOptions): Promise<DownloadResult> {
  const model = findPublished(options.model ?? "english");
  const names = options.voices ?? [model.defaultVoice];
  const voices = names.map(findVoice);
  const directory = join(options.outDirectory, model.name);
  mkdirSync(join(directory, "voices"), { recursive: true });
  const text = publishedConfigText(model);
  const config = parseModelConfig(text, model.name);
  writeFileSync(join(directory, "config.yaml"), text);
  const lockPath = join(directory, lockName);
  const lock = readLock(lockPath);
  const skipped: string[] = [];
  const fetched: string[] = [];
  const get = async (name: string, source: string) => {
    const done = await fetchFile(join(directory, name), name, source, lock.get(name), options);
    (done.wasThere ? skipped : fetched).push(name);
    lock.set(name, { source, bytes: done.bytes, sha256: done.sha256 });
    writeFileSync(lockPath, `${JSON.stringify(Object.fromEntries(lock), null, 2)}\n`);
  };
  let hasCloning = true;
  try {
    await get("model.safetensors", weightsSource(config.weightsPath!, options.repository));
  } catch (error) {
    const status = (error as { cause?: { status?: number } }).cause?.status;
    if (status !== 401 && status !== 403) throw error;
    hasCloning = false;
    await get("model.safetensors", config.weightsPathWithoutVoiceCloning!);
  }
  await get("tokenizer.model", config.flowLm.tokenizerPath);
  for (const { id, path } of voices) await get(`voices/${path}`, voiceLocation(model.name, id));
  addToManifest(join(directory, "voices"), voices);
  return { directory, hasCloning, skipped, fetched, voices };
}

/** @throws TtsError `tts/option-invalid` with what there is */
function findPublished(name: string): PublishedModel {
  const model = publishedModels.find((each) => each.name === name);
  if (model !== undefined) return model;
  const hint =
    name === "french"
      ? "French exists only with 24 layers: french_24l"
      : `there are ${publishedModels.map((m) => m.name).join(", ")}`;
  throw new TtsError("tts/option-invalid", `There is no model "${name}"; ${hint}.`);
}

async function fetchFile(
  path: string,
  name: string,
  source: string,
  locked: LockedFile | undefined,
  options: DownloadOptions,
): Promise<{ bytes: number; sha256: string; wasThere: boolean }> {
  const wanted = locked?.source === source ? locked.sha256 : undefined;
  if (wanted !== undefined && existsSync(path) && (await sha256Of(path)) === wanted) {
    return { bytes: statSync(path).size, sha256: wanted, wasThere: true };
  }
  mkdirSync(dirname(path), { recursive: true });
  // A partial file belongs to one source: another's is never continued.
  const partial = `${path}.${createHash("sha256").update(source).digest("hex").slice(0, 12)}.part`;
  const start = existsSync(partial) ? statSync(partial).size : 0;
  const { maxFileBytes = 4 * 2 ** 30 } = options;
  const response = await request(source, start, options);
  const isPartial = response.status === 206;
  const length = Number(response.headers.get("content-length") ?? Number.NaN);
  const total = Number.isFinite(length) ? length + (isPartial ? start : 0) : undefined;
  let done = isPartial ? start : 0;
  const check = (bytes: number) => {
    if (bytes > maxFileBytes) {
      throw new TtsError("tts/download-failed", `${name} is larger than ${maxFileBytes} bytes.`);
    }
  };
  check(total ?? 0);
  if (response.status !== 416) {
    const count = new Transform({
      transform(piece: Buffer, _, next) {
        done += piece.length;
        try {
          check(done);
          options.onProgress?.(name, done, total);
          next(null, piece);
        } catch (error) {
          next(error as Error);
        }
      },
    });
    const file = createWriteStream(partial, { flags: isPartial ? "a" : "w" });
    try {
      await pipeline(Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]), count, file);
    } catch (cause) {
      // A write may still be under way: whoever goes on must find the file as it will stay.
      if (!file.closed) await new Promise<void>((closed) => file.once("close", closed));
      if (cause instanceof TtsError) throw cause;
      throw new TtsError(
        "tts/download-failed",
        `${name} broke off after ${done} bytes; run again to go on.`,
        { cause },
      );
    }
  }
  const bytes = statSync(partial).size;
  if (total !== undefined && bytes !== total) {
    throw new TtsError("tts/download-failed", `${name} has ${bytes} of ${total} bytes; run again to go on.`);
  }
  const sha256 = await sha256Of(partial);
  // The hub names large files by their sum.
  const etag = (response.headers.get("x-linked-etag") ?? response.headers.get("etag") ?? "").replace(
    /[W/"]/g,
    "",
  );
  const expected = wanted ?? (/^[0-9a-f]{64}$/.test(etag) ? etag : undefined);
  if (expected !== undefined && sha256 !== expected) {
    renameSync(partial, `${partial}.bad`);
    throw new TtsError(
      "tts/checksum-mismatch",
      `${name} has the SHA-256 ${sha256}, expected ${expected}; it is not used.`,
    );
  }
  renameSync(partial, path);
  return { bytes, sha256, wasThere: false };
}

async function request(source: string, start: number, options: DownloadOptions): Promise<Response> {
  const url = addressOf(source, options.endpoint ?? "https://huggingface.co");
  const headers: Record<string, string> = {};
  if (start > 0) headers["range"] = `bytes=${start}-`;
  if (options.token !== undefined) headers["authorization"] = `Bearer ${options.token}`;
  let response: Response;
  try {
    response = await fetch(url, {
      headers,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  } catch (cause) {
    throw new TtsError("tts/download-failed", `${url} cannot be reached.`, { cause });
  }
  if (response.ok || (response.status === 416 && start > 0)) return response;
  await response.body?.cancel();
  const hint =
    response.status === 401 || response.status === 403
      ? " The weights are gated: accept their terms on the hub and give a token (--hf-token or HF_TOKEN)."
      : "";
  throw new TtsError("tts/download-failed", `${url} answered ${response.status}.${hint}`, {
    cause: { status: response.status },
  });
}

/** `hf://owner/repo/path@revision` as an address of the hub. */
function addressOf(source: string, endpoint: string): string {
  const match = /^hf:\/\/([^/]+)\/([^/]+)\/([^@]+)@([\w.-]+)$/.exec(source);
  if (match === null)
    throw new TtsError("tts/option-invalid", `"${source}" is no hf:// location with a revision.`);
  const [, owner, repository, path, revision] = match;
  return `${endpoint.replace(/\/$/, "")}/${owner}/${repository}/resolve/${revision}/${path}`;
}

function weightsSource(published: string, repository: string | undefined): string {
  if (repository === undefined) return published;
  if (!/^\w[\w.-]*\/\w[\w.-]*$/.test(repository)) {
    throw new TtsError(
      "tts/option-invalid",
      `"${repository.slice(0, 100)}" is no repository of the form owner/name.`,
    );
  }
  // Another repository has other revisions; what its branch had at the first download is in the lock manifest.
  const path = published.replace(/^hf:\/\/[^/]+\/[^/]+\//, "").replace(/@.*$/, "");
  return `hf://${repository}/${path}@main`;
}

/** @throws TtsError `tts/voice-unknown` with the near names */
function findVoice(name: string): ManifestVoice {
  const known = predefinedVoiceList.find(({ id }) => id === name);
  if (known !== undefined) return { ...known, path: `${name}.safetensors` };
  const near = nearNames(
    name,
    predefinedVoiceList.map(({ id }) => id),
  );
  const hint = near.length > 0 ? ` Did you mean ${near.join(" or ")}?` : "";
  throw new TtsError("tts/voice-unknown", `There is no predefined voice "${name}".${hint}`);
}

/** Lists downloaded voices in the manifest, and says beside it what their licences allow. */
function addToManifest(folder: string, voices: readonly ManifestVoice[]): void {
  const path = join(folder, "manifest.json");
  const known = existsSync(path) ? parseVoiceManifest(readFileSync(path, "utf8"), path) : [];
  const kept = known.filter(({ id }) => !voices.some((voice) => voice.id === id));
  const all = [...kept, ...voices];
  writeFileSync(path, formatVoiceManifest(all));
  writeFileSync(join(folder, "README.md"), voicesReadme(all));
}

function voicesReadme(voices: readonly ManifestVoice[]): string {
  const rows = voices.map(
    ({ id, license, attribution = "" }) => `| ${id} | ${license} | ${allowance(license)} | ${attribution} |`,
  );
  return `# Voices of this model

A voice may be used as the recording that it was made of may be; the list is \`manifest.json\`. The licences of predefined voices are
what their publishers stated as of November 2026, without warranty: check https://huggingface.co/kyutai/tts-voices before you publish.

| voice | licence | commercial use by that licence | name |
| --- | --- | --- | --- |
${rows.join("\n")}
`;
}

function allowance(license: string): string {
  if (isNonCommercial(license)) return "**no**";
  return license === "unstated" ? "ask the publisher first" : "yes";
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest("hex");
}

function readLock(path: string): Map<string, LockedFile> {
  if (!existsSync(path)) return new Map();
  try {
    const json = JSON.parse(readFileSync(path, "utf8")) as Record<string, LockedFile>;
    return new Map(Object.entries(json).filter(([, each]) => /^[0-9a-f]{64}$/.test(each?.sha256)));
  } catch (cause) {
    throw new TtsError(
      "tts/config-invalid",
      `The lock manifest ${path} is damaged; delete it to start anew.`,
      { cause },
    );
  }
}
