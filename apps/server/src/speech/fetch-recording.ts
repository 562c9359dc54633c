import { lookup as systemLookup } from "node:dns";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { TtsError } from "@longwave/tts";
import { isPublicAddress } from "./public-address.ts";

/** From where recordings may be fetched, and how much. */
export interface FetchPolicy {
  /** Hosts that are allowed, exactly as in the address, with the port where it is not the scheme's own; default none. */
  readonly hosts: readonly string[];
  /** Largest recording in bytes; default 16 MiB. */
  readonly maxBytes?: number;
  /** Longest time for everything, milliseconds; default 10,000. */
  readonly timeoutMs?: number;
  /** Which addresses may be connected to; default {@link isPublicAddress}. */
  readonly isAllowedAddress?: (address: string) => boolean;
}

const maxRedirects = 3;

/**
 * Fetches a recording that a client named by its address. The host must be on the list; the address that its name stands for is checked
 * at the moment of connecting, so a name cannot change its meaning in between; every redirect is checked like the first address.
 * @throws TtsError `tts/voice-url-refused`, `tts/upload-too-large`, `tts/timeout`
 */
export async function fetchRecording(
  address: string,
  policy: FetchPolicy,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { timeoutMs = 10_000, maxBytes = 16 * 2 ** 20 } = policy;
  const late = AbortSignal.timeout(timeoutMs);
  const stop = signal === undefined ? late : AbortSignal.any([signal, late]);
  try {
    let url = checkedUrl(address, policy);
    for (let hop = 0; ; hop++) {
      const response = await get(url, policy, stop);
      const { statusCode = 0, headers } = response;
      if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
        response.destroy();
        if (hop === maxRedirects) throw refused(`${url.host} redirects more than ${maxRedirects} times.`);
        url = checkedUrl(new URL(headers.location, url).href, policy);
        continue;
      }
      if (statusCode !== 200) {
        response.destroy();
        throw refused(`${url.host} answered ${statusCode}.`);
      }
      return await collect(response, maxBytes);
    }
  } catch (cause) {
    if (cause instanceof TtsError) throw cause;
    signal?.throwIfAborted();
    if (late.aborted) throw new TtsError("tts/timeout", `The recording did not come within ${timeoutMs} ms.`);
    throw new TtsError("tts/voice-url-refused", "The recording cannot be fetched.", { cause });
  }
}

function checkedUrl(address: string, { hosts, isAllowedAddress = isPublicAddress }: FetchPolicy): URL {
  if (!URL.canParse(address)) throw refused("The address cannot be read.");
  const url = new URL(address);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw refused(`${url.protocol} is not fetched, only http: and https:.`);
  if (url.username !== "" || url.password !== "")
    throw refused("Addresses with credentials are not fetched.");
  if (!hosts.includes(url.host)) throw refused(`${url.host.slice(0, 100)} is not on the list of hosts.`);
  // A literal address is connected to without any look-up.
  const literal = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(literal) !== 0 && !isAllowedAddress(literal)) throw refused(`${literal} is not a public address.`);
  return url;
}

function get(url: URL, policy: FetchPolicy, signal: AbortSignal): Promise<IncomingMessage> {
  const { isAllowedAddress = isPublicAddress } = policy;
  const lookup: LookupFunction = (name, options, done) => {
    systemLookup(name, { ...options, all: true }, (error, found) => {
      if (error !== null) return done(error, []);
      const bad = found.find(({ address }) => !isAllowedAddress(address));
      if (bad !== undefined)
        return done(refused(`${name} stands for ${bad.address}, which is not public.`), []);
      if (options.all === true) done(null, found);
      else done(null, found[0]!.address, found[0]!.family);
    });
  };
  return new Promise((resolve, reject) => {
    const start = url.protocol === "https:" ? httpsRequest : httpRequest;
    // No agent: a connection of before would not be looked up again.
    const request = start(url, { lookup, signal, agent: false, headers: { accept: "audio/*" } });
    request.once("response", resolve);
    request.once("error", reject);
    request.end();
  });
}

async function collect(response: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response as AsyncIterable<Uint8Array>) {
    size += piece.length;
    if (size > maxBytes) {
      response.destroy();
      throw new TtsError("tts/upload-too-large", `The recording has more than ${maxBytes} bytes.`);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function refused(reason: string): TtsError {
  return new TtsError("tts/voice-url-refused", reason);
}
