import type { RecordingInfo, RecordingWriter } from "@longwave/archive";
import { type Clock, isLongwaveError } from "@longwave/base";
import { plainOpusHead } from "@longwave/media";
import type { StationEventBody } from "../event-log.ts";
import { blockFrames, stationChannels, stationRateHz } from "../sound.ts";
import type { SourceAbsence } from "../stages.ts";
import { withGapReason } from "./recording-gaps.ts";
import { measureBlock, type StationArchive } from "./station-archive.ts";
import { WaveformPeaks } from "./waveform-peaks.ts";

export interface ArchiveRecorderOptions {
  readonly archive: StationArchive;
  /** Id of the stream; the recordings are named after it. */
  readonly stream: string;
  readonly clock: Clock;
  /** When the studio played a sample frame, on the clock's monotonic time. */
  readonly playedAtUs: (startFrame: number) => number;
  readonly onEvent: (event: StationEventBody) => void;
  /** What makes the packets, in words. */
  readonly codec: string;
  /** Length of a recording before the next one begins; default 24 h. Sample frames. */
  readonly recordingFrames?: number;
}

/** One block on its way into the archive. */
interface ArchivedBlock {
  readonly absence?: undefined;
  /** Undefined where the packet was lost. */
  readonly packet: Uint8Array | undefined;
  readonly startFrame: number;
  readonly peak: number;
  readonly meanSquare: number;
}

/** From this block on the source has no sound, until the next block comes. */
interface AbsentSource {
  readonly absence: SourceAbsence;
  readonly startFrame: number;
}

/** Delay of the Opus encoder at 48 kHz (RFC 7845 section 4.2, "pre-skip"): 6.5 ms. */
const encoderDelayFrames = 312;
/** Packets that a new recording repeats from the one before: after 0.5 s a CELT decoder has forgotten how it began. */
const seamPackets = 25;
/** Blocks that may wait for a slow store: 30 s. Beyond, the oldest are given up and a gap is marked. */
const maxQueuedBlocks = 1500;
const retryUs = 10_000_000;
const storePeaksUs = 60_000_000;
/** Up to so much missing sound is a loss inside the recording (the decoder conceals it); more is a gap. */
const maxLossFrames = stationRateHz;
/** The studio's clock may be off from the sound's count by this much before the recording gets a new time anchor. */
const toleranceUs = 100_000;
/** Blocks between two looks at what is published: 0.2 s. */
const publishedBlocks = 10;
/** 10 minutes: few enough bytes to hold a shard in memory. */
const chunksPerShard = 60;

/**
 * Writes the packets that arrive into the archive while they arrive, byte for byte. It goes on where the last run ended and marks
 * the gap, also after a crash. A store that fails does not hold up the station: the recorder says so, tries again every
 * 10 s, and marks what is missing.
 */
export class ArchiveRecorder {
  readonly #options: ArchiveRecorderOptions;
  readonly #queue: (ArchivedBlock | AbsentSource)[] = [];
  readonly #seam: Uint8Array[] = [];
  #writer: RecordingWriter | undefined;
  #peaks = new WaveformPeaks();
  /** The recording as the store describes it, at most `publishedBlocks` ago. */
  #published: RecordingInfo | undefined;
  #blocks = 0;
  #work: Promise<void> | undefined;
  #nextFrame = 0;
  /** Studio time at which the recording's sample 0 would have been played, by the last time anchor. */
  #originUs = 0;
  #retryAtUs = Number.NEGATIVE_INFINITY;
  #peaksStoredUs = 0;
  /** Why nothing can be written just now. */
  #failure: string | undefined;
  #hasLooked = false;
  #toldLost = false;
  /** What the newest block says of the source. */
  #absence: SourceAbsence | undefined;
  /** Why there is no sound since the last block that was written. */
  #gap: SourceAbsence | undefined;
  #closed = false;
  #dropped = 0;

  constructor(options: ArchiveRecorderOptions) {
    this.#options = options;
  }

  /** The recording that grows, undefined while there is none. */
  get recording(): string | undefined {
    return this.#writer?.id;
  }

  /** Why nothing can be written just now, in words; undefined while all is well. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Blocks that were given up because the store failed or was too slow. */
  get droppedBlocks(): number {
    return this.#dropped;
  }

  /**
   * Takes the packet of a block, undefined where it was lost, and what the decoder made of it. Both are copied or measured.
   * @param absence why the block is no sound of the source: it is not recorded, and what is missing is a gap
   */
  write(
    packet: Uint8Array | undefined,
    block: Float32Array,
    startFrame: number,
    absence?: SourceAbsence | undefined,
  ): void {
    if (this.#closed) return;
    const isNews = absence !== this.#absence;
    this.#absence = absence;
    if (absence !== undefined && !isNews) return;
    if (this.#queue.length >= maxQueuedBlocks) {
      this.#queue.shift();
      this.#dropped++;
    }
    this.#queue.push(
      absence === undefined
        ? { packet: packet?.slice(), startFrame, ...measureBlock(block) }
        : { startFrame, absence },
    );
    this.#work ??= this.#drain().finally(() => {
      this.#work = undefined;
    });
  }

  /** Waits until everything that came so far is written or given up. */
  async settle(): Promise<void> {
    while (this.#work !== undefined) await this.#work;
  }

  /** Completes the recording. A second call does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.settle();
    if (this.#isLost()) return;
    try {
      await this.#finish();
    } catch (error) {
      this.#fail(error);
    }
  }

  async #drain(): Promise<void> {
    for (let block = this.#queue.shift(); block !== undefined; block = this.#queue.shift()) {
      if (this.#isLost() || (this.#writer === undefined && this.#options.clock.nowUs() < this.#retryAtUs)) {
        if (block.absence === undefined) this.#dropped++;
        continue;
      }
      try {
        if (block.absence === undefined) await this.#take(block);
        else await this.#takeAbsence(block.absence);
      } catch (error) {
        if (block.absence === undefined) this.#dropped++;
        this.#fail(error);
      }
    }
  }

  /** Another station has taken the stream over: what it writes is left alone, for good. */
  #isLost(): boolean {
    const { archive, stream, onEvent } = this.#options;
    const reason = archive.lost.get(stream);
    if (reason === undefined) return false;
    if (this.#toldLost) return true;
    this.#toldLost = true;
    const recording = this.#giveUp();
    this.#failure = reason;
    onEvent({ type: "archive.taken", recording: recording ?? null, reason });
    return true;
  }

  /** Makes readable what is there: nothing may come for hours. Of a gap that began as silence it is said that the source went away. */
  async #takeAbsence(absence: SourceAbsence): Promise<void> {
    if (this.#gap !== "source-away") this.#gap = absence;
    if (this.#writer === undefined) return;
    await this.#writer.publish();
    this.#published = this.#writer.info("recording");
  }

  async #take(block: ArchivedBlock): Promise<void> {
    const { recordingFrames = 24 * 3600 * stationRateHz } = this.#options;
    let seam: readonly Uint8Array[] = [];
    if (this.#writer !== undefined && this.#writer.frames >= recordingFrames) {
      if (block.startFrame === this.#nextFrame) seam = [...this.#seam];
      await this.#finish();
    }
    const writer = this.#writer ?? (await this.#open(block, seam));
    const missing = block.startFrame - this.#nextFrame;
    if (missing > 0 && missing <= maxLossFrames) await writer.push({ type: "loss", frames: missing });
    else if (missing !== 0) {
      if (this.#gap !== undefined) this.#markGap(writer, this.#gap, missing);
      await writer.push({ type: "segment", head: plainOpusHead(stationChannels, encoderDelayFrames) });
    }
    this.#gap = undefined;
    this.#anchorWhereNeeded(writer, block.startFrame);
    // Lossy or not, the outline is that of the sound as it was heard.
    this.#peaks.add(writer.frames + blockFrames / 2, block.peak, block.meanSquare);
    this.#nextFrame = block.startFrame + blockFrames;
    if (block.packet === undefined) await writer.push({ type: "loss", frames: blockFrames });
    else {
      this.#seam.push(block.packet);
      if (this.#seam.length > seamPackets) this.#seam.shift();
      await writer.push({ type: "packet", data: block.packet });
    }
    if (this.#failure !== undefined) {
      this.#failure = undefined;
      this.#options.onEvent({ type: "archive.recovered", recording: writer.id });
    }
    // Between two blocks nothing is being written: what the writer knows is what the store holds.
    if (++this.#blocks % publishedBlocks === 0) this.#published = writer.info("recording");
    await this.#storePeaksNowAndThen();
  }

  #markGap(writer: RecordingWriter, reason: SourceAbsence, missing: number): void {
    writer.amendMetadata(withGapReason(writer.info("recording"), writer.frames, reason));
    const gapMs = Math.round(missing / 48);
    this.#options.onEvent({ type: "archive.gap", recording: writer.id, reason, gapMs });
  }

  /** A gap of the studio's clock (a machine that was busy or asleep) is a gap on the time axis. */
  #anchorWhereNeeded(writer: RecordingWriter, startFrame: number): void {
    const atUs = this.#options.playedAtUs(startFrame);
    const expectedUs = this.#originUs + (writer.frames * 1e6) / stationRateHz;
    if (Math.abs(atUs - expectedUs) <= toleranceUs) return;
    writer.anchor(this.#unixNs(atUs));
    this.#originUs = atUs - (writer.frames * 1e6) / stationRateHz;
  }

  async #open(block: ArchivedBlock, seam: readonly Uint8Array[]): Promise<RecordingWriter> {
    const writer = (await this.#continueLast(block)) ?? (await this.#begin(block, seam));
    this.#writer = writer;
    this.#nextFrame = block.startFrame;
    return writer;
  }

  /**
   * Goes on with the recording that the last run left, if there is one and its time lies before now. A run that crashed left
   * its lease; whoever opened the archive for this stream knows that it is dead.
   */
  async #continueLast(block: ArchivedBlock): Promise<RecordingWriter | undefined> {
    if (this.#hasLooked && this.#failure === undefined) return undefined;
    const { archive, stream, recordingFrames = 24 * 3600 * stationRateHz, onEvent } = this.#options;
    this.#hasLooked = true;
    for (const [recording, reason] of archive.damaged) {
      onEvent({ type: "archive.damaged", recording, reason });
    }
    const last = (await archive.recordings(stream)).at(-1);
    const span = last?.spans.at(-1);
    if (last === undefined || span === undefined || last.info.frames >= recordingFrames) return undefined;
    const atNs = this.#unixNs(this.#options.playedAtUs(block.startFrame));
    const gapMs = Number(atNs / 1_000_000n) - span.startMs - (span.endFrame - span.startFrame) / 48;
    if (gapMs < 0) return undefined;
    const { id } = last.info;
    await archive.sweep(id);
    try {
      const writer = await archive.archive.append(id, {
        live: true,
        takeOver: archive.ownsStreams,
      });
      this.#peaks = await archive.peaks(id);
      await writer.push({ type: "segment", head: plainOpusHead(stationChannels, encoderDelayFrames) });
      writer.anchor(atNs);
      this.#originUs = this.#options.playedAtUs(block.startFrame) - (writer.frames * 1e6) / stationRateHz;
      this.#published = writer.info("recording");
      archive.noteLive(id, { info: () => this.#published, peaks: this.#peaks });
      onEvent({ type: "archive.continued", recording: id, frames: writer.frames, gapMs: Math.round(gapMs) });
      return writer;
    } catch (error) {
      if (!isLongwaveError(error) || !error.code.startsWith("archive/")) throw error;
      // A disk that is full says nothing about the recording.
      if (error.code === "archive/write-failed") throw error;
      onEvent({ type: "archive.damaged", recording: id, reason: error.message });
      return undefined;
    }
  }

  async #begin(block: ArchivedBlock, seam: readonly Uint8Array[]): Promise<RecordingWriter> {
    const { archive, stream, codec, onEvent } = this.#options;
    const atUs = this.#options.playedAtUs(block.startFrame);
    // With a seam the recording begins with the decoder's output of this block, the encoder's delay before its time.
    const startUs = seam.length > 0 ? atUs - (encoderDelayFrames * 1e6) / stationRateHz : atUs;
    const startTimeNs = this.#unixNs(startUs);
    const id = await this.#freeId(startTimeNs);
    const writer = await archive.archive.record({
      id,
      channels: stationChannels,
      chunksPerShard,
      startTimeNs,
      start: { source: "clock", zoneAssumed: false },
      metadata: {
        stream,
        codec,
        ...(this.#gap !== undefined && withGapReason({ metadata: {} }, 0, this.#gap)),
      },
      live: true,
    });
    this.#peaks = new WaveformPeaks();
    const preSkip = seam.length > 0 ? seam.length * blockFrames : encoderDelayFrames;
    await writer.push({ type: "segment", head: plainOpusHead(stationChannels, preSkip) });
    for (const data of seam) await writer.push({ type: "packet", data });
    this.#originUs = startUs;
    this.#published = writer.info("recording");
    archive.noteLive(id, { info: () => this.#published, peaks: this.#peaks });
    onEvent({ type: "archive.started", recording: id });
    return writer;
  }

  async #finish(): Promise<void> {
    const writer = this.#writer;
    if (writer === undefined) return;
    const info = await writer.close();
    this.#writer = undefined;
    await this.#options.archive.storePeaks(info.id, this.#peaks);
    this.#options.archive.noteEnd(info.id, info);
    this.#options.onEvent(completed(info));
    for (const recording of await this.#options.archive.applyPolicy()) {
      this.#options.onEvent({ type: "archive.removed", recording });
    }
  }

  #fail(error: unknown): void {
    const { archive, stream, clock, onEvent } = this.#options;
    const reason = (error as Error).message;
    // In a directory nobody takes a lease over but a station that has the stream now. To take it back would go on in turns.
    if (this.#writer !== undefined && archive.ownsStreams && isLongwaveError(error, "archive/lease")) {
      archive.lose(stream, reason);
      this.#isLost();
      return;
    }
    const recording = this.#giveUp();
    this.#retryAtUs = clock.nowUs() + retryUs;
    const isNew = this.#failure === undefined;
    this.#failure = reason;
    if (!isNew) return;
    const withoutHeading = reason.replace(/^The archive cannot be written: /, "");
    onEvent({ type: "archive.failed", recording: recording ?? null, reason: withoutHeading });
  }

  /** Gives the writer up; what was published stays readable, and the next try goes on behind it. */
  #giveUp(): string | undefined {
    const writer = this.#writer;
    this.#writer = undefined;
    writer?.abandon();
    if (writer !== undefined) this.#options.archive.noteEnd(writer.id);
    return writer?.id;
  }

  async #storePeaksNowAndThen(): Promise<void> {
    const nowUs = this.#options.clock.nowUs();
    if (nowUs - this.#peaksStoredUs < storePeaksUs) return;
    this.#peaksStoredUs = nowUs;
    await this.#options.archive.storePeaks(this.#writer!.id, this.#peaks);
  }

  async #freeId(startTimeNs: bigint): Promise<string> {
    const time = new Date(Number(startTimeNs / 1_000_000n)).toISOString().replace(/[-:]|\.\d+/g, "");
    const base = `${this.#options.stream.slice(0, 40)}-${time}`;
    for (let n = 1; ; n++) {
      const id = n === 1 ? base : `${base}-${n}`;
      if ((await this.#options.archive.archive.store.head(`rec/${id}/zarr.json`)) === undefined) return id;
    }
  }

  /** Wall-clock time of a monotonic one, in nanoseconds since the Unix epoch. */
  #unixNs(atUs: number): bigint {
    const { clock } = this.#options;
    return BigInt(Math.round(clock.wallUs() - clock.nowUs() + atUs)) * 1000n;
  }
}

function completed(info: RecordingInfo): StationEventBody {
  const { id, frames, packets, packetsSha256, counts } = info;
  return {
    type: "archive.completed",
    recording: id,
    frames,
    packets,
    lost: counts.lost,
    packetsSha256,
  };
}
