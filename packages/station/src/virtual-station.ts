import { MemoryStore, type ObjectStore, VirtualClock } from "@longwave/base";
import { Catalog } from "@longwave/catalog";
import { FormantEngine, SpeechService, Tts } from "@longwave/tts";
import { ArchiveRecorder } from "./archive/archive-recorder.ts";
import { StationArchive } from "./archive/station-archive.ts";
import { digestStore } from "./archive/store-digest.ts";
import type { StationEvent } from "./event-log.ts";
import { Reception, type ReceptionSettings } from "./reception.ts";
import { enrollRepertoire } from "./songs/enroll-repertoire.ts";
import { defaultSongCount, makeRepertoire, songOrder } from "./songs/repertoire.ts";
import { blockUs } from "./sound.ts";
import { AnnouncedProgramme } from "./speech/announced-programme.ts";
import { Station } from "./station.ts";
import { ChainedPath } from "./transport/chained-path.ts";
import { OpusCodec } from "./transport/opus-codec.ts";
import { bondOverVirtualLinks } from "./transport/virtual-links.ts";
import { makeJingle, stationMark, stationMarkKey } from "./watermark/jingle.ts";
import { JingledOrder } from "./watermark/jingled-order.ts";
import { WatermarkReader } from "./watermark/watermark-reader.ts";

export interface VirtualStationOptions {
  readonly seed: number;
  /** Virtual time on air, in microseconds. */
  readonly durationUs: number;
  /** Songs of the repertoire; default 24. */
  readonly songs?: number;
  readonly reception?: ReceptionSettings;
  /** Where the archive goes; default memory. */
  readonly archiveStore?: ObjectStore;
  readonly onEvent: (event: StationEvent) => void;
  readonly signal?: AbortSignal;
}

/** After the last block so many more may pass until it arrives: the receiver's buffer and some delay. */
const arrivalBlocks = 60;

/**
 * Runs the built-in station in virtual time, with no sockets and no files, as fast as the machine can. The same seed gives
 * the same events everywhere: every stage is the real one, only the clock, the store and the seed are given.
 */
export async function runVirtualStation(options: VirtualStationOptions): Promise<void> {
  const { seed, signal } = options;
  const clock = new VirtualClock();
  const catalog = await Catalog.open(new MemoryStore(), { profile: "wang-v1" });
  const repertoire = makeRepertoire(seed, options.songs ?? defaultSongCount);
  const store = options.archiveStore ?? new MemoryStore();
  const archive = await StationArchive.open(store, { clock, place: "memory" });
  const codec = new OpusCodec();
  const speech = new SpeechService({ workers: [new Tts({ engines: [new FormantEngine()] })], clock });
  const recorder = new ArchiveRecorder({
    archive,
    stream: "studio-1",
    clock,
    codec: codec.name,
    playedAtUs: (startFrame) => station.playedAtUs(startFrame),
    onEvent: (event) => void station.log.append(event),
  });
  const bond = bondOverVirtualLinks({
    clock,
    seed,
    codec,
    onBlock: (packet, block, startFrame) => recorder.write(packet, block, startFrame),
    onArrival: (event) => void station.log.append(event),
  });
  const order = new JingledOrder(
    songOrder(repertoire, seed),
    () => makeJingle({ seed, key: stationMarkKey, payload: stationMark }),
    (reason) => void station.log.append({ type: "announcement.failed", reason }),
  );
  const marks = new WatermarkReader(stationMarkKey, (event) => void station.log.append(event));
  await using station = new Station({
    id: "studio-1",
    programme: programmeName(repertoire.length, seed),
    clock,
    source: new AnnouncedProgramme({
      next: () => order.next(),
      settle: () => order.settle(),
      speech,
      onFailure: (reason) => void station.log.append({ type: "announcement.failed", reason }),
    }),
    path: new ChainedPath(bond, new Reception(seed, options.reception)),
    catalog,
    sinks: [marks],
    beforeStopped: async () => {
      bond.tellConcealed();
      await recorder.close();
      const digest = await digestStore(store);
      station.log.append({ type: "archive.digest", ...digest });
      archive.close();
    },
  });
  station.log.subscribe(options.onEvent);
  await enrollRepertoire(catalog, repertoire, {
    signal,
    onEnrolled: ({ id, title }, records) =>
      station.log.append({ type: "catalog.enrolled", track: id, title, records }),
  });
  station.start();
  const endUs = clock.nowUs() + options.durationUs;
  while (clock.nowUs() < endUs) {
    signal?.throwIfAborted();
    clock.runUntil(Math.min(endUs, clock.nowUs() + blockUs));
    await station.settle();
    await recorder.settle();
  }
  // What is still on its way arrives before the station closes.
  station.stop();
  for (let i = 0; i < arrivalBlocks && bond.pendingBlocks > 0; i++) {
    clock.runUntil(clock.nowUs() + blockUs);
    await recorder.settle();
  }
}

/** The built-in programme in words. */
export function programmeName(songs: number, seed: number): string {
  return `${songs} ${songs === 1 ? "song" : "songs"} of seed ${seed}`;
}
