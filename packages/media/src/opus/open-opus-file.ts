import { MediaError } from "../errors.ts";
import { type WebmLimits, WebmOpusDemuxer } from "../webm/webm-opus-demuxer.ts";
import { OggOpusDemuxer, type OggOpusHandler, type OggOpusLimits } from "./ogg-opus-demuxer.ts";
import { type ByteSource, OggOpusReader, type OpusDemuxer, type OpusFileReader } from "./ogg-opus-reader.ts";

/**
 * Opens Ogg Opus or WebM (Matroska) Opus, told apart by the first bytes.
 * @throws MediaError `media/empty`, `media/not-opus`, `media/webm-malformed`, `media/limit`
 */
export function openOpusFile(
  source: ByteSource,
  limits: Partial<OggOpusLimits & WebmLimits> = {},
): Promise<OpusFileReader> {
  return OggOpusReader.openWith(source, (handler) => new SniffingDemuxer(handler, limits));
}

/** Waits for four bytes, then is the demuxer that they call for. */
class SniffingDemuxer implements OpusDemuxer {
  readonly #handler: OggOpusHandler;
  readonly #limits: Partial<OggOpusLimits & WebmLimits>;
  #first = new Uint8Array(0);
  #demuxer: OpusDemuxer | undefined;

  constructor(handler: OggOpusHandler, limits: Partial<OggOpusLimits & WebmLimits>) {
    this.#handler = handler;
    this.#limits = limits;
  }

  push(bytes: Uint8Array): void {
    if (this.#demuxer !== undefined) {
      this.#demuxer.push(bytes);
      return;
    }
    const joined = new Uint8Array(this.#first.length + bytes.length);
    joined.set(this.#first);
    joined.set(bytes, this.#first.length);
    this.#first = joined;
    if (joined.length < 4) return;
    const isEbml = joined[0] === 0x1a && joined[1] === 0x45 && joined[2] === 0xdf && joined[3] === 0xa3;
    this.#demuxer = isEbml
      ? new WebmOpusDemuxer(this.#handler, this.#limits)
      : new OggOpusDemuxer(this.#handler, this.#limits);
    this.#demuxer.push(joined);
    this.#first = new Uint8Array(0);
  }

  end(): { readonly truncated: boolean } {
    if (this.#demuxer !== undefined) return this.#demuxer.end();
    throw new MediaError("media/empty", `The input has ${this.#first.length} bytes; there is no Opus in it.`);
  }
}
