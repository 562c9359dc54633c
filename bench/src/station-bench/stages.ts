import { join } from "node:path";
import { MemoryStore, VirtualClock } from "@longwave/base";
import { DirectoryStore } from "@longwave/base/node";
import { Catalog } from "@longwave/catalog";
import {
  ArchiveRecorder,
  blockFrames,
  bondOverVirtualLinks,
  enrollRepertoire,
  LiveIdentifier,
  makeRepertoire,
  OpusCodec,
  Scope,
  StationArchive,
  songProgramme,
  stationMarkKey,
  WatermarkReader,
} from "@longwave/station";
import { cpuMs, row } from "./rows.js";

/** Packets that were made before, so that the bond is measured without its codec. */
class FixedPackets {
  readonly name = "made before";
  readonly packetsPerBlock = 1;
  readonly #packets: readonly Uint8Array[];
  #next = 0;

  constructor(packets: readonly Uint8Array[]) {
    this.#packets = packets;
  }

  encode(_block: Float32Array, send: (packet: Uint8Array) => void): void {
    send(this.#packets[this.#next++ % this.#packets.length]!);
  }

  decode(): boolean {
    return true;
  }

  conceal(): void {}
}

/** Each stage alone over a minute of sound, as a share of one core in real time. */
export async function measureStages(folder: string): Promise<void> {
  const seconds = 60;
  const blocks = seconds * 50;
  const repertoire = makeRepertoire(7, 2);
  const programme = songProgramme(repertoire, 7);
  const sound = Array.from({ length: blocks }, () => new Float32Array(2 * blockFrames));
  const shares = new Map<string, number>();
  const measure = async (name: string, run: () => unknown) => {
    const before = cpuMs();
    await run();
    shares.set(name, (cpuMs() - before) / (seconds * 1000));
  };
  await measure("programme (composed songs)", () => {
    for (const block of sound) programme.read(block, () => {});
  });
  const codec = new OpusCodec();
  const packets: Uint8Array[] = [];
  await measure("Opus encoder, 96 kbit/s", () => {
    for (const block of sound) codec.encode(block, (packet) => packets.push(packet.slice()));
  });
  const decoded = new Float32Array(2 * blockFrames);
  await measure("Opus decoder", () => {
    for (const packet of packets) codec.decode(packet, 0, packet.length, 0, decoded);
  });
  const clock = new VirtualClock();
  const bond = bondOverVirtualLinks({ clock, seed: 7, codec: new FixedPackets(packets) });
  await measure("bonding over two links, simulated network included", () => {
    for (let n = 0; n < blocks; n++) {
      bond.send(sound[n]!, n * blockFrames);
      clock.runUntil(clock.nowUs() + 20_000);
    }
  });
  const archive = await StationArchive.open(new DirectoryStore(join(folder, "stage")), {
    clock,
    place: "bench",
  });
  const recorder = new ArchiveRecorder({
    archive,
    stream: "bench",
    clock,
    codec: codec.name,
    playedAtUs: (frame) => (frame * 1e6) / 48_000,
    onEvent: () => {},
  });
  await measure("archive: proof, outline, disk once a second", async () => {
    for (const [n, packet] of packets.entries()) {
      recorder.write(packet, sound[n]!, n * blockFrames);
      await recorder.settle();
    }
    await recorder.close();
  });
  const catalog = await Catalog.open(new MemoryStore(), { profile: "wang-v1" });
  await enrollRepertoire(catalog, repertoire);
  const identifier = new LiveIdentifier({ catalog, onEvent: () => {} });
  await measure("identification, twice a second", async () => {
    for (const [n, block] of sound.entries()) {
      identifier.write(block, n * blockFrames);
      await identifier.settle();
    }
  });
  const marks = new WatermarkReader(stationMarkKey, () => {});
  await measure("search for the watermark", () => {
    for (const [n, block] of sound.entries()) marks.write(block, n * blockFrames);
  });
  const scope = new Scope();
  await measure("picture for the console", () => {
    for (const [n, block] of sound.entries()) scope.write(block, n * blockFrames);
  });
  let total = 0;
  for (const [name, share] of shares) {
    total += share;
    row(`CPU, ${name}`, `${(100 * share).toFixed(2)} % of a core`);
  }
  row("CPU, all stages", `${(100 * total).toFixed(1)} % of a core`, "<= 50 %", total <= 0.5);
  row("stations that one core carries", (1 / total).toFixed(1));
}
