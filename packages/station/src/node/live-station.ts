import type { Hooks } from "@longwave/base";
import { SystemClock } from "@longwave/base/node";
import { createSender } from "@longwave/bond/node";
import type { SpeechService } from "@longwave/tts";
import { ArchiveRecorder } from "../archive/archive-recorder.ts";
import type { StationArchive } from "../archive/station-archive.ts";
import { OpusListeners } from "../opus-listeners.ts";
import { Reception } from "../reception.ts";
import { Scope } from "../scope.ts";
import { PatientEnrolment } from "../songs/patient-enrolment.ts";
import { defaultSongCount, makeRepertoire, songOrder } from "../songs/repertoire.ts";
import { stationRateHz } from "../sound.ts";
import { SourceAbsences } from "../source-absences.ts";
import { AnnouncedProgramme } from "../speech/announced-programme.ts";
import { VoiceOver } from "../speech/voice-over.ts";
import { Station } from "../station.ts";
import type { StationCatalog } from "../station-catalog.ts";
import type { BondedPath } from "../transport/bonded-path.ts";
import { ChainedPath } from "../transport/chained-path.ts";
import { type Impairment, impairments } from "../transport/impairment.ts";
import { OpusCodec } from "../transport/opus-codec.ts";
import { programmeName } from "../virtual-station.ts";
import { stationMark, stationMarkKey } from "../watermark/jingle.ts";
import { JingledOrder } from "../watermark/jingled-order.ts";
import { WatermarkReader } from "../watermark/watermark-reader.ts";
import { openInput } from "./input.ts";
import { JingleMaker } from "./jingle-maker.ts";
import type { LiveInput } from "./live-input.ts";
import { bondOverLoopback } from "./live-links.ts";
import { openOwnCatalog } from "./own-catalog.ts";
import { writeDailyReport } from "./report-writer.ts";
import { SongFingerprinter } from "./song-fingerprinter.ts";
import { startTalking } from "./talk-schedule.ts";
import { untilCalm } from "./until-calm.ts";
import { whenThere } from "./when-there.ts";

export interface LiveStationOptions {
  /** Default "studio-1". */
  readonly id?: string;
  readonly seed: number;
  /** Songs of the built-in programme. */
  readonly songs?: number;
  /** Put before the ids of these songs, so that several stations can share a catalog, such as "studio-2-". */
  readonly songPrefix?: string;
  /** The user's own sound: a file, a directory, or "-" for PCM on standard input. */
  readonly input?: string;
  /** What is put on the sound's way; default `demo` for the built-in programme and `none` for an input of the user's own. */
  readonly impair?: Impairment;
  /** Form of raw PCM on standard input. */
  readonly inputRateHz?: number;
  readonly inputChannels?: number;
  /** Directory of the catalog; in memory by default. */
  readonly catalogDirectory?: string;
  /** What named that directory, for messages: a flag, a variable, a file. */
  readonly catalogSetting?: string;
  /** A catalog that is open already, such as a `RemoteCatalog`, instead of one in a directory; whoever opened it closes it. */
  readonly catalog?: StationCatalog;
  /** Where everything that arrives is recorded; see {@link openStationArchive}. */
  readonly archive: StationArchive;
  /** Speaks between the songs of the built-in programme, and what is put on air. */
  readonly speech: SpeechService;
  /** RIST addresses that the programme's packets are also sent to, all together: a contribution link. */
  readonly send?: readonly string[];
  /** Directory of the daily report of what was heard. */
  readonly reportDirectory?: string;
  /** Announcements over the programme: the lines of a file, one every `everyMs`. */
  readonly texts?: { readonly path: string; readonly everyMs: number };
  /** Of the programme's encoder; default 96,000. */
  readonly bitrateBps?: number;
  /** Voice of the announcements; default the engine's own. */
  readonly voice?: string;
  readonly hooks?: Hooks;
}

/** A station in real time, with what a server shows of it. */
export interface LiveStation {
  readonly station: Station;
  readonly scope: Scope;
  readonly reception: Reception;
  readonly bond: BondedPath;
  readonly catalog: StationCatalog;
  readonly archive: StationArchive;
  readonly recorder: ArchiveRecorder;
  readonly opusListeners: OpusListeners;
  readonly voiceOver: VoiceOver;
  readonly codec: OpusCodec;
  /** Undefined when everything is enrolled, else what is under way, in words. */
  readonly busyWith: () => string | undefined;
  /** Why songs of the programme cannot be enrolled just now, in words; it is tried again and again. */
  readonly enrolmentFailure: () => string | undefined;
  close(): Promise<void>;
}

/**
 * Puts a station on air: the built-in programme, or the user's own sound. It plays at once; what is not enrolled yet is
 * enrolled while it plays, what plays first comes first.
 *
 * @throws StationError for an input that cannot be used; CatalogError for a catalog that cannot be opened
 */
export async function openLiveStation(options: LiveStationOptions): Promise<LiveStation> {
  const undo: (() => unknown)[] = [];
  try {
    return await compose(options, undo);
  } catch (error) {
    // What is open already keeps sockets and threads, and with them the process.
    for (const each of undo.reverse()) await each();
    throw error;
  }
}

/** @param undo gets a step for each thing that is open, should a later one fail */
async function compose(options: LiveStationOptions, undo: (() => unknown)[]): Promise<LiveStation> {
  const ownCatalog = options.catalog === undefined ? await openOwnCatalog(options) : undefined;
  const catalog: StationCatalog = options.catalog ?? ownCatalog!;
  undo.push(() => ownCatalog?.close());
  const clock = new SystemClock();
  const scope = new Scope();
  const impairment = impairments[options.impair ?? (options.input === undefined ? "demo" : "none")];
  const reception = new Reception(options.seed, impairment.reception);
  const stop = new AbortController();
  const repertoire =
    options.input === undefined
      ? makeRepertoire(options.seed, options.songs ?? defaultSongCount, options.songPrefix)
      : [];
  const jingles = options.input === undefined ? new JingleMaker() : undefined;
  undo.push(() => jingles?.close());
  const order = new JingledOrder(
    songOrder(repertoire.length > 0 ? repertoire : makeRepertoire(options.seed, 1), options.seed),
    () => jingles!.make({ seed: options.seed, key: stationMarkKey, payload: stationMark }),
    (reason) => {
      if (!stop.signal.aborted) station.log.append({ type: "announcement.failed", reason });
    },
  );
  // Other stations may be on air in this thread: it is given back between the pieces of work.
  await breathe();
  const marks = new WatermarkReader(stationMarkKey, (event) => void station.log.append(event));
  const input: LiveInput =
    options.input === undefined
      ? {
          name: programmeName(repertoire.length, options.seed),
          source: new AnnouncedProgramme({
            next: () => order.next(),
            speech: options.speech,
            pause: breathe,
            ...(options.voice !== undefined && { voice: options.voice }),
            onFailure: (reason) => void station.log.append({ type: "announcement.failed", reason }),
          }),
        }
      : await openInput(options.input, { ...options, catalog, pause: breathe, signal: stop.signal });
  undo.push(
    () => stop.abort(),
    () => input.source.close(),
  );
  await breathe();
  const codec = new OpusCodec(options.bitrateBps === undefined ? {} : { bitrateBps: options.bitrateBps });
  const id = options.id ?? "studio-1";
  const recorder = new ArchiveRecorder({
    archive: options.archive,
    stream: id,
    clock,
    codec: codec.name,
    // A temporary archive forgets in short pieces.
    ...(options.archive.isTemporary && { recordingFrames: 3600 * stationRateHz }),
    playedAtUs: (startFrame) => station.playedAtUs(startFrame),
    onEvent: (event) => void station.log.append(event),
  });
  const contribution =
    options.send === undefined
      ? undefined
      : createSender({
          bufferMs: contributionBufferMs,
          payloadType: 96,
          links: options.send.map((to) => ({ to })),
        });
  undo.push(() => contribution?.close());
  await contribution?.ready;
  const opusListeners = new OpusListeners(`Longwave ${id}`);
  const bond = await bondOverLoopback({
    seed: options.seed,
    links: impairment.links,
    codec,
    playedAtUs: (startFrame) => station.playedAtUs(startFrame),
    ...(contribution !== undefined && {
      // What the source did not give is missing at the other end as well, and no silence.
      onSent: (packet: Uint8Array, timeUs: number, startFrame: number) => {
        if (!absences.isAbsent(startFrame)) contribution.send(packet, timeUs);
      },
    }),
    onBlock: (packet, block, startFrame) => {
      recorder.write(packet, block, startFrame, absences.take(startFrame));
      opusListeners.write(packet);
    },
    onArrival: (event) => void station.log.append(event),
  });
  undo.push(() => bond.close());
  const absences = new SourceAbsences();
  const voiceOver = new VoiceOver(input.source, options.speech, clock, breathe);
  voiceOver.onChange = ({ state, text, engine, voice }) => {
    const type =
      state === "on air" ? "speech.started" : state === "failed" ? "speech.failed" : "speech.ended";
    station.log.append({ type, text, engine, voice, atMs: station.status().playedMs });
  };
  const station = new Station({
    id,
    programme: input.name,
    clock,
    source: voiceOver,
    path: new ChainedPath(bond, reception),
    catalog,
    onAbsence: (startFrame, reason) => absences.note(startFrame, reason),
    onPeak: (atMs, hz, decibels) => scope.addPeak(atMs, hz, decibels),
    sinks: [scope, marks],
    beforeStopped: async () => {
      bond.tellConcealed();
      await recorder.close();
    },
    ...(options.hooks !== undefined && { hooks: options.hooks }),
  });
  options.archive.onDelivery(({ away }) => {
    station.log.append(
      away === undefined ? { type: "archive.delivered" } : { type: "archive.delayed", reason: away },
    );
  });
  const coldReads = station.log.subscribe(({ type }) => {
    if (type !== "archive.started" && type !== "archive.continued") return;
    coldReads();
    setTimeout(() => void readOnce(options.archive, recorder.recording), warmUpMs).unref();
  });
  input.onEvents?.((event) => void station.log.append(event));
  const endReport =
    options.reportDirectory === undefined
      ? undefined
      : await writeDailyReport(station, options.reportDirectory);
  const endTalking =
    options.texts === undefined
      ? undefined
      : await startTalking(voiceOver, {
          ...options.texts,
          onFailure: (reason) => void station.log.append({ type: "announcement.failed", reason }),
        });
  const mayEnroll = repertoire.length > 0 && !catalog.isReadOnly;
  const songs = mayEnroll ? new SongFingerprinter() : undefined;
  undo.push(() => songs?.close());
  const enrolment = new PatientEnrolment({
    repertoire,
    clock,
    signal: stop.signal,
    catalog: {
      get profile() {
        return catalog.profile;
      },
      enroll: (...track) => whenThere(catalog, () => catalog.enroll(...track), stop.signal),
    },
    fingerprint: (score) => songs!.fingerprint(catalog.profile, score),
    onEnrolled: ({ id, title }, records) => {
      station.log.append({ type: "catalog.enrolled", track: id, title, records });
    },
    onFailure: ({ id }, reason) => {
      station.log.append({ type: "catalog.failed", track: id, reason });
      options.hooks?.log?.("error", `Song ${id} cannot be enrolled: ${reason} It is tried again.`);
    },
  });
  const enroll = async () => {
    // The profile of a catalog that is away is not known yet.
    await whenThere(catalog, async () => undefined, stop.signal);
    await enrolment.run();
  };
  const mustEnroll = () =>
    enrolment.enrolled < repertoire.length && !catalog.isReadOnly && catalog.away === undefined;
  const enrolling = (mayEnroll ? enroll() : Promise.resolve())
    .catch((error: unknown) => {
      if (!stop.signal.aborted)
        options.hooks?.log?.("error", `Enrolling has ended: ${(error as Error).message}`);
    })
    .finally(() => songs?.close());
  await untilCalm();
  station.start();
  return {
    station,
    scope,
    reception,
    bond,
    catalog,
    archive: options.archive,
    recorder,
    opusListeners,
    voiceOver,
    codec,
    // On air and waiting for a disk is ready all the same: nothing is won by taking the station away.
    busyWith: () =>
      mustEnroll() && enrolment.failure === undefined
        ? `enrolling song ${enrolment.enrolled + 1} of ${repertoire.length}`
        : undefined,
    enrolmentFailure: () => (mustEnroll() ? enrolment.failure : undefined),
    close: async () => {
      stop.abort();
      endTalking?.();
      await jingles?.close();
      await songs?.close();
      await enrolling;
      station.stop();
      await untilArrived(bond);
      await station.close();
      await endReport?.();
      contribution?.close();
      scope.close();
      opusListeners.close();
      await ownCatalog?.close();
    },
  };
}

/** A receiver of a contribution link has so long for repeats. */
const contributionBufferMs = 1000;
/**
 * When a station closes, packets are waited for that are still on their way: as long as they arrive (a receiver that was kept waiting
 * plays up to 3 s later), and for the receiver's buffer and some delay where none does.
 */
const arrivalMs = 1200;
const longestArrivalMs = 6000;

/** Time until the first second of a recording can surely be read. */
const warmUpMs = 3000;

/** Reads a moment of the archive that nobody asked for: the first click shall not pay for opening decoder and files. */
async function readOnce(archive: StationArchive, recording: string | undefined): Promise<void> {
  if (recording === undefined) return;
  try {
    await archive.archive.read(recording, { from: 0, to: stationRateHz / 2 });
  } catch {
    // Whoever reads next is told.
  }
}

async function untilArrived(bond: BondedPath): Promise<void> {
  let pending = bond.pendingBlocks;
  for (let waitedMs = 0, idleMs = 0; pending > 0 && idleMs < arrivalMs && waitedMs < longestArrivalMs; ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    waitedMs += 20;
    idleMs = bond.pendingBlocks < pending ? 0 : idleMs + 20;
    pending = bond.pendingBlocks;
  }
}

/** Lets everything else that waits have its turn, and most of the time: sound must not wait for bookkeeping. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 3));
}
