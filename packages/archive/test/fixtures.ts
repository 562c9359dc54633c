import type { PacketItem } from "@longwave/archive";
import { crc32c, MemoryStore, type ObjectStore, SeededRandom } from "@longwave/base";
import type { OpusHead } from "@longwave/media";
import { ToyDecoder } from "./toy-decoder.ts";

export const toyDecoder = (head: OpusHead, profile: string): ToyDecoder => new ToyDecoder(head, profile);

export function monoHead(preSkip = 312, gainQ8 = 0): OpusHead {
  const shape = { channels: 1, family: 0, streams: 1, coupled: 0, mapping: Uint8Array.of(0) };
  return { ...shape, preSkip, inputSampleRate: 48_000, gainQ8 };
}

/** A 20 ms packet of the toy format. `kind`: 1 ordinary, 253 forget, 254 remember for ever, 255 refused. */
export function toyPacket(random: SeededRandom, kind = 1): PacketItem {
  const data = Uint8Array.from({ length: 20 + random.below(60) }, () => random.below(256));
  data[0] = 31 << 3;
  data[1] = kind;
  return { type: "packet", data };
}

/** A segment with everything that may happen in one. */
export function mixedSegment(seed: number, packets: number): PacketItem[] {
  const random = new SeededRandom(seed);
  const items: PacketItem[] = [{ type: "segment", head: monoHead(312 + seed, 10 * seed) }];
  for (let i = 0; i < packets; i++) {
    const roll = random.below(60);
    if (roll === 0) items.push({ type: "loss", frames: 960 * (1 + random.below(9)) });
    else if (roll === 1) items.push({ type: "packet", data: Uint8Array.of(31 << 3) });
    else if (roll === 2) items.push(toyPacket(random, 255));
    else items.push(toyPacket(random, Math.floor(i / 300) % 3 === 1 ? 254 : 253));
  }
  return items;
}

/** Everything in a store, by key: size and checksum, so that a difference reads well. */
export async function contents(store: ObjectStore): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for await (const { key } of store.list("")) {
    const bytes = (await store.get(key))!;
    all.set(key, `${bytes.length} bytes, crc ${crc32c(bytes).toString(16)}`);
  }
  return all;
}

/** A store whose process dies at the n-th write: that write and all later ones fail. */
export class DyingStore extends MemoryStore {
  writesLeft = Number.POSITIVE_INFINITY;

  override async put(...parameters: Parameters<MemoryStore["put"]>): ReturnType<MemoryStore["put"]> {
    this.#spend();
    return super.put(...parameters);
  }

  override async delete(key: string): Promise<void> {
    this.#spend();
    return super.delete(key);
  }

  #spend(): void {
    if (this.writesLeft-- <= 0) throw new Error("killed");
  }
}
