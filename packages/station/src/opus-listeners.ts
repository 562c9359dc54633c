import { OggOpusWriter, plainOpusHead } from "@longwave/media";
import { ByteFanOut, type Listener, type ReaderLosses } from "./byte-queue.ts";
import { defaultListenerLimits, type ListenerLimits, placesTaken } from "./listeners.ts";
import { stationChannels } from "./sound.ts";

/** A decoder that begins in the middle has settled after 80 ms (RFC 7845 section 4.6): players leave that out. */
const preSkipFrames = 3840;
/** Packets of one page: 100 ms, as a live stream must not wait. */
const packetsPerPage = 5;
/** CELT, full band, 20 ms, stereo, one frame: what a lost packet is replaced with before the first one came. */
const defaultToc = 0xfc;

/**
 * Hands the received Opus packets to any number of listeners as live Ogg Opus, without decoding or encoding anything. Each
 * listener's stream begins when it joins. A lost packet becomes one without sound, which players conceal.
 */
export class OpusListeners {
  readonly #places: ByteFanOut;
  readonly #title: string;
  #toc = defaultToc;
  #joined = 0;

  /** @param title shown by players */
  constructor(title: string, limits: ListenerLimits = defaultListenerLimits) {
    this.#places = new ByteFanOut(limits.maxListeners, limits.maxQueuedBlocks, placesTaken);
    this.#title = title;
  }

  get count(): number {
    return this.#places.count;
  }

  get losses(): ReaderLosses {
    return this.#places.losses;
  }

  /** The packet of the next block, undefined where it was lost; copied. */
  write(packet: Uint8Array | undefined): void {
    if (packet !== undefined && packet.length > 0) this.#toc = packet[0]!;
    if (this.#places.count === 0) return;
    this.#places.push(packet === undefined ? Uint8Array.of(this.#toc & 0xfc) : packet.slice());
  }

  /** Takes a place; what it gives are pieces of an Ogg Opus file. @throws StationError `station/too-many-listeners` */
  join(): Listener {
    return new OggListener(this.#places.join(), ++this.#joined, this.#title);
  }

  close(): void {
    this.#places.close();
  }
}

/**
 * Makes pages of the packets as they are taken, so that a slow listener costs packets, not pages. A stream that is closed ends with the
 * page that says so (RFC 3533 section 6).
 */
class OggListener implements Listener {
  readonly #packets: Listener;
  readonly #pages: Uint8Array[] = [];
  readonly #writer: OggOpusWriter;
  #isFinished = false;

  constructor(packets: Listener, serial: number, title: string) {
    this.#packets = packets;
    this.#writer = new OggOpusWriter((bytes) => void this.#pages.push(bytes.slice()), {
      head: plainOpusHead(stationChannels, preSkipFrames),
      serial,
      tags: { vendor: "longwave", comments: [`TITLE=${title}`], binary: new Uint8Array(0) },
    });
  }

  get droppedBlocks(): number {
    return this.#packets.droppedBlocks;
  }

  async next(): Promise<Uint8Array | undefined> {
    for (let packets = 0; this.#pages.length === 0; ) {
      const packet = await this.#packets.next();
      if (packet !== undefined) {
        this.#writer.write(packet);
        if (++packets === packetsPerPage) this.#writer.flush();
      } else if (this.#isFinished) return undefined;
      else {
        this.#isFinished = true;
        this.#writer.finish();
      }
    }
    const [first, ...rest] = this.#pages.splice(0);
    return rest.length === 0 ? first : joined([first!, ...rest]);
  }

  close(): void {
    this.#packets.close();
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
