import { isLongwaveError, type OpfsDirectory, OpfsStore, type OpfsStoreOptions } from "@longwave/base";
import { Catalog, verifyCatalog } from "../src/index.ts";
import { melody } from "./signals.ts";

/** Where the cases run: a fake file system, or (without options) that of the browser. */
export interface OpfsPlace {
  readonly root: OpfsDirectory;
  readonly options: Pick<OpfsStoreOptions, "root" | "locks">;
}

const sampleRate = 8000;
const songs = Array.from({ length: 8 }, (_, seed) => melody(seed, 5));
const song = (seed: number) => ({ samples: songs[seed]!, sampleRate });
const piece = (seed: number) => ({ samples: songs[seed]!.subarray(12_000, 36_000), sampleRate });
const manifest = "manifest.json";
const lastEntry = "journal/000000000004";

type Change = (bytes: Uint8Array) => Uint8Array;
const flipAt =
  (share: number): Change =>
  (bytes) => {
    bytes[Math.floor(share * bytes.length)]! ^= 0x10;
    return bytes;
  };
const cutAt =
  (share: number): Change =>
  (bytes) =>
    bytes.subarray(0, Math.floor(share * bytes.length));

/** Writes over the file of a key itself, as a failing disk or a full one might: past the store and its checks. */
async function damage(place: OpfsPlace, folder: string, key: string, change: Change): Promise<void> {
  const parts = [folder, ...key.split("/")];
  const name = parts.pop()!;
  let directory = place.root;
  for (const part of parts) directory = await directory.getDirectoryHandle(part);
  const file = await directory.getFileHandle(name);
  const bytes = new Uint8Array(await (await file.getFile()).arrayBuffer());
  const writable = await file.createWritable();
  await writable.write({ type: "write", position: 0, data: new Uint8Array(change(bytes)) });
  await writable.close();
}

async function outcome(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    return isLongwaveError(error) ? error.code : `untyped: ${(error as Error).message}`;
  }
}

/** Which of the songs 1 to 4 a catalog finds, whether it says that a part is missing, and whether it verifies. */
async function stateOf(store: OpfsStore): Promise<string> {
  const catalog = await Catalog.open(store);
  const found: string[] = [];
  let partial = false;
  for (const seed of [1, 2, 3, 4]) {
    const answer = await catalog.identify(piece(seed));
    partial ||= answer.partial;
    if (answer.match === undefined) continue;
    found.push(answer.match.track.id === `song ${seed}` ? String(seed) : `wrong for ${seed}`);
  }
  const { ok } = await verifyCatalog(store);
  return `${found.join()}${partial ? ", partial" : ""}${ok ? "" : ", not sound"}`;
}

/**
 * Damages a catalog of four songs, two of them in a segment and two in the journal, in one way after the other, and opens it twice for
 * writing. What came of each.
 */
export async function opfsDamage(place: OpfsPlace): Promise<Record<string, string>> {
  let folders = 0;
  const newStore = async () => {
    const folder = `damage-${folders++}`;
    return { folder, store: await OpfsStore.open({ ...place.options, folder }) };
  };
  const { store: original } = await newStore();
  const catalog = await Catalog.open(original);
  for (const seed of [1, 2, 3, 4]) {
    await catalog.enroll({ id: `song ${seed}` }, song(seed));
    if (seed === 2) await catalog.compact();
  }
  const keys: string[] = [];
  for await (const { key } of original.list("")) keys.push(key);
  const segment = keys.find((key) => key.startsWith("segments/"))!;
  const copy = async () => {
    const made = await newStore();
    for (const key of keys) await made.store.put(key, (await original.get(key))!);
    return made;
  };
  const results: Record<string, string> = {};
  const run = async (name: string, key?: string, change?: Change) => {
    const { folder, store } = await copy();
    if (key !== undefined && change !== undefined) await damage(place, folder, key, change);
    results[name] = await outcome(() => stateOf(store));
  };
  await run("whole");
  await run("segment: a bit of its peaks flipped", segment, flipAt(0.98));
  await run("segment: a bit of its header flipped", segment, (bytes) => {
    bytes[16 + 24]! ^= 1;
    return bytes;
  });
  await run("segment: cut in the middle", segment, cutAt(0.5));
  await run("manifest: a bit flipped", manifest, flipAt(0.7));
  await run("journal: the last entry torn in the middle", lastEntry, cutAt(0.5));
  await run("journal: a bit of the last entry flipped", lastEntry, flipAt(0.6));
  // The platform makes the file before its content is put in place: a page that is killed in between leaves this.
  await run("journal: the last entry made, but never closed", lastEntry, cutAt(0));
  const holed = await copy();
  await holed.store.delete("journal/000000000003");
  results["journal: an entry lost in the middle"] = await outcome(() => stateOf(holed.store));
  const lost = await copy();
  await lost.store.delete(segment);
  results["segment: lost"] = await outcome(() => stateOf(lost.store));

  const { store: shared } = await copy();
  const [one, two] = [await Catalog.open(shared), await Catalog.open(shared)];
  const both = await Promise.all([
    outcome(async () => (await one.enroll({ id: "same" }, song(5))).status),
    outcome(async () => (await two.enroll({ id: "same" }, song(6))).status),
    outcome(async () => (await two.enroll({ id: "other" }, song(7))).status),
    outcome(async () => one.compact().then(() => "compacted")),
  ]);
  results["opened twice for writing"] = [...both].sort().join();
  const after = await Catalog.open(shared);
  results["both wrote"] = after
    .tracks()
    .map(({ id }) => id)
    .sort()
    .join();
  results["and it is sound"] = String((await verifyCatalog(shared)).ok);
  return results;
}

/** What has to come of them: what is lost is told, what is whole stays, and nothing is made up. */
export const expectedOfDamage: Readonly<Record<string, string>> = {
  whole: "1,2,3,4",
  "segment: a bit of its peaks flipped": "3,4, partial, not sound",
  "segment: a bit of its header flipped": "catalog/corrupt",
  "segment: cut in the middle": "catalog/corrupt",
  "manifest: a bit flipped": "catalog/corrupt",
  "journal: the last entry torn in the middle": "catalog/corrupt",
  "journal: a bit of the last entry flipped": "catalog/corrupt",
  "journal: the last entry made, but never closed": "1,2,3",
  "journal: an entry lost in the middle": "catalog/corrupt",
  "segment: lost": "catalog/missing",
  "opened twice for writing": "added,added,catalog/exists,compacted",
  "both wrote": "other,same,song 1,song 2,song 3,song 4",
  "and it is sound": "true",
};
