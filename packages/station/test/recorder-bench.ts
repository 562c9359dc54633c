import { MemoryStore, type ObjectStore, VirtualClock } from "@longwave/base";
import {
  ArchiveRecorder,
  composeSong,
  OpusCodec,
  SongRenderer,
  type SourceAbsence,
  StationArchive,
  type StationEventBody,
} from "../src/index.ts";

export const second = 48_000;

/** A recorder that hears a song through a codec, without a network. */
export class Bench {
  readonly clock = new VirtualClock();
  readonly events: StationEventBody[] = [];
  readonly packets: Uint8Array[] = [];
  recorder!: ArchiveRecorder;
  archive!: StationArchive;
  #codec = new OpusCodec();
  #block = new Float32Array(1920);
  #renderer = new SongRenderer(composeSong(7, 0));
  #songFrame = 0;
  #frame = 0;
  #originUs = 0;

  readonly store: ObjectStore;

  constructor(store: ObjectStore = new MemoryStore()) {
    this.store = store;
  }

  async open(recordingFrames?: number, keepUs?: number): Promise<void> {
    const { clock, store } = this;
    this.archive = await StationArchive.open(store, {
      clock,
      place: "a test",
      ...(keepUs !== undefined && { keepUs }),
    });
    this.#originUs = clock.nowUs();
    this.#frame = 0;
    this.recorder = new ArchiveRecorder({
      archive: this.archive,
      stream: "studio-1",
      clock,
      codec: "Opus",
      playedAtUs: (frame) => this.#originUs + (frame * 1e6) / second,
      onEvent: (event) => void this.events.push(event),
      ...(recordingFrames !== undefined && { recordingFrames }),
    });
  }

  async play(seconds: number, isLost: (block: number) => boolean = () => false): Promise<void> {
    for (let i = 0; i < seconds * 50; i++) {
      this.#renderer.read(this.#block, 0);
      this.#songFrame += 960;
      this.#codec.encode(this.#block, (packet) => {
        const lost = isLost(i);
        if (!lost) this.packets.push(packet.slice());
        this.recorder.write(lost ? undefined : packet, this.#block, this.#frame);
      });
      this.#frame += 960;
      this.clock.runUntil(this.clock.nowUs() + 20_000);
      await this.recorder.settle();
    }
  }

  /** The source has no sound: what plays is silence. */
  async miss(seconds: number, absence: SourceAbsence): Promise<void> {
    this.#block.fill(0);
    for (let i = 0; i < seconds * 50; i++) {
      this.#codec.encode(this.#block, (packet) =>
        this.recorder.write(packet, this.#block, this.#frame, absence),
      );
      this.#frame += 960;
      this.clock.runUntil(this.clock.nowUs() + 20_000);
      await this.recorder.settle();
    }
  }

  /** The time stands still for the recorder. */
  skip(seconds: number): void {
    this.clock.runUntil(this.clock.nowUs() + seconds * 1e6);
  }
}

export async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece.slice());
  return new Uint8Array(Buffer.concat(parts));
}
