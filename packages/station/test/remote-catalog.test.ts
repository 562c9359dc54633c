import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { MemoryStore, VirtualClock } from "@longwave/base";
import { Catalog, CatalogError } from "@longwave/catalog";
import { encodeWav } from "@longwave/media";
import { expect, test } from "vitest";
import {
  blockFrames,
  type CatalogService,
  LiveIdentifier,
  openOrAway,
  RemoteCatalog,
  type StationEventBody,
  stationRateHz,
} from "../src/index.ts";
import { FileProgramme } from "../src/node/file-programme.ts";

const rate = 48_000;

/** Notes that change, so that there is something to tell apart. */
function tune(seconds: number): Float32Array {
  const sound = new Float32Array(seconds * rate);
  for (let i = 0; i < sound.length; i++) {
    const note = Math.floor(i / 9600);
    const t = i / rate;
    for (let h = 1; h <= 4; h++)
      sound[i]! += (0.2 / h) * Math.sin(2 * Math.PI * 220 * h * 2 ** (((note * note * 5) % 29) / 12) * t);
  }
  return sound;
}

/** A catalog in memory behind a service that can be taken away. */
async function service(profile: "wang-v1" | "mark-v1" = "wang-v1") {
  const catalog = await Catalog.open(new MemoryStore(), { profile });
  const state = { away: false, opened: 0, closed: 0, hangs: false };
  const refuse = () => {
    if (state.away) throw new CatalogError("catalog/engine-failed", "The cable is out.");
  };
  const open = async (): Promise<CatalogService> => {
    refuse();
    state.opened++;
    return {
      profile: catalog.profile,
      isReadOnly: false,
      identify: async (query, options) => {
        refuse();
        if (state.hangs) await new Promise(() => {});
        return catalog.identify(query, options);
      },
      enroll: async (...track) => {
        refuse();
        return catalog.enroll(...track);
      },
      remove: (id) => catalog.remove(id),
      get: (id) => catalog.get(id),
      page: (offset, limit) => catalog.page(offset, limit),
      close: async () => void state.closed++,
    };
  };
  return { catalog, state, open };
}

const turns = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

test("a stream is followed while its catalog goes away and comes back, and each is said once", async () => {
  const clock = new VirtualClock();
  const { catalog, state, open } = await service();
  const said: (string | undefined)[] = [];
  const remote = await RemoteCatalog.open({ open, clock, onChange: (away) => said.push(away) });
  const sound = tune(12);
  await remote.enroll({ id: "tune", title: "Tune" }, { samples: sound, sampleRate: rate });
  expect((await remote.page(0, 10)).tracks.map(({ id }) => id)).toEqual(["tune"]);
  expect(await remote.get("tune")).toEqual(catalog.get("tune"));

  const events: StationEventBody[] = [];
  const identifier = new LiveIdentifier({ catalog: remote, onEvent: (event) => events.push(event) });
  const block = new Float32Array(2 * blockFrames);
  let at = 0;
  const listen = async (seconds: number) => {
    for (let blocks = seconds * 50; blocks > 0; blocks--) {
      for (let i = 0; i < block.length; i++) block[i] = sound[(at + (i >> 1)) % sound.length]!;
      identifier.write(block, at);
      await identifier.settle();
      at += blockFrames;
      clock.runUntil((at * 1e6) / stationRateHz);
      await turns();
    }
  };
  await listen(6);
  state.away = true;
  await listen(6);
  expect(remote.away).toBe("The cable is out.");
  expect(identifier.now).toBeUndefined();
  await expect(remote.page(0, 1)).rejects.toMatchObject({
    code: "station/catalog-away",
    kind: "unavailable",
  });
  state.away = false;
  await listen(8);
  expect(remote.away).toBeUndefined();
  const kinds = events.map(({ type }) => type).filter((type) => type !== "match.held");
  expect(kinds).toEqual([
    "match.entered",
    "match.left",
    "identification.away",
    "identification.returned",
    "match.entered",
  ]);
  expect(said).toEqual(["The cable is out.", undefined]);
  await remote.close();
  expect(state.closed).toBe(state.opened);
});

test("a catalog that is away from the start is found, whatever its profile, and one that hangs counts as away", async () => {
  const clock = new VirtualClock();
  const { state, open } = await service("wang-v1");
  state.away = true;
  const remote = await RemoteCatalog.open({ open, clock, timeoutUs: 5_000_000 });
  expect([remote.away, remote.profile]).toEqual(["The cable is out.", "mark-v1"]);
  const identifier = new LiveIdentifier({ catalog: remote, onEvent: () => {} });
  const sound = tune(6);
  const block = new Float32Array(2 * blockFrames);
  identifier.write(block, 0);
  state.away = false;
  clock.runUntil(1_500_000);
  await turns();
  expect([remote.away, remote.profile]).toEqual([undefined, "wang-v1"]);
  await remote.enroll({ id: "tune" }, { samples: sound, sampleRate: rate });
  for (let at = 0; at < sound.length - blockFrames; at += blockFrames) {
    for (let i = 0; i < block.length; i++) block[i] = sound[at + (i >> 1)]!;
    identifier.write(block, at + blockFrames);
    await identifier.settle();
  }
  expect(identifier.now?.track).toBe("tune");

  state.hangs = true;
  const hanging = remote.identify({ samples: sound, sampleRate: rate });
  void hanging.catch(() => {});
  clock.runUntil(10_000_000);
  await expect(hanging).rejects.toThrow(/no answer within 5 s/);
  expect(remote.away).toMatch(/no answer/);
  await remote.close();
});

test("a catalog of another version is away, with the reason, until one that can be read lies there", async () => {
  const clock = new VirtualClock();
  const store = new MemoryStore();
  const made = await Catalog.open(store, { profile: "wang-v1" });
  await made.enroll({ id: "one" }, { samples: tune(6), sampleRate: rate, channels: 1 });
  await made.close();
  const manifest = (await store.get("manifest.json"))!;
  const newer = new TextDecoder().decode(manifest).replace('"version":1', '"version":9');
  await store.put("manifest.json", new TextEncoder().encode(newer));
  const told: (string | undefined)[] = [];
  const open = () => Catalog.open(store);
  const catalog = await openOrAway({ clock, open, onChange: (away) => told.push(away) });
  const reason = "This catalog has format version 9; this program reads 1. Update Longwave.";
  expect(told).toEqual([reason]);
  expect(catalog.away).toBe(reason);
  const events: StationEventBody[] = [];
  const identifier = new LiveIdentifier({ catalog, onEvent: (event) => events.push(event) });
  const block = new Float32Array(2 * blockFrames);
  for (let i = 0; i < 150; i++) identifier.write(block, i * blockFrames);
  await identifier.settle();
  expect(events).toEqual([
    { type: "identification.away", reason: `The catalog is away. ${reason}`, atMs: expect.any(Number) },
  ]);
  await store.put("manifest.json", manifest);
  clock.runUntil(clock.nowUs() + 2_000_000);
  await expect.poll(() => catalog.away, { timeout: 60_000 }).toBeUndefined();
  expect(told).toEqual([reason, undefined]);
  expect((await catalog.page(0, 1)).total).toBe(1);
  await catalog.close();
  // One that can be read is taken as it is; what is wrong otherwise ends the start.
  const plain = await openOrAway({ clock, open });
  expect(plain).toBeInstanceOf(Catalog);
  await plain.close();
  await store.put("manifest.json", new TextEncoder().encode("{"));
  await expect(openOrAway({ clock, open })).rejects.toMatchObject({ code: "catalog/corrupt" });
});

test("what no time will mend is an error at the start, and changes that others win lose nothing", async () => {
  const clock = new VirtualClock();
  const broken = async () => {
    throw new CatalogError("catalog/corrupt", "The tables are damaged.");
  };
  await expect(RemoteCatalog.open({ clock, open: broken })).rejects.toMatchObject({
    code: "catalog/corrupt",
  });
  const { open } = await service();
  const opened = await open();
  const locked = async () => {
    throw new CatalogError("catalog/locked", "Others keep writing.");
  };
  const remote = await RemoteCatalog.open({ clock, open: async () => ({ ...opened, enroll: locked }) });
  const sound = { samples: tune(2), sampleRate: rate };
  await expect(remote.enroll({ id: "a" }, sound)).rejects.toMatchObject({ code: "catalog/locked" });
  expect(remote.away).toBeUndefined();
  await remote.close();
});

test("a file whose recording cannot be enrolled plays all the same, and is enrolled when it plays again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "longwave-file-"));
  try {
    const path = join(folder, "tune.wav");
    writeFileSync(path, encodeWav(tune(2), { sampleRate: rate, channels: 1 }));
    const { catalog, state, open } = await service();
    const remote = await RemoteCatalog.open({ open, clock: new VirtualClock() });
    const options = { catalog: remote, pause: async () => {}, signal: new AbortController().signal };
    const events: StationEventBody[] = [];
    const play = async () => {
      const programme = new FileProgramme([{ path, detail: "" }], options);
      programme.onEvents((event) => events.push(event));
      await programme.prepareFirst();
      const block = new Float32Array(2 * blockFrames);
      programme.read(block, () => {});
      await programme.close();
      return block.some((value) => value !== 0);
    };
    state.away = true;
    expect(await play()).toBe(true);
    expect(events).toEqual([{ type: "catalog.failed", track: basename(path), reason: "The cable is out." }]);
    // Known to be away: not even tried.
    expect(await play()).toBe(true);
    expect(events).toHaveLength(1);
    expect(catalog.size).toBe(0);
    await remote.close();
    state.away = false;
    options.catalog = await RemoteCatalog.open({ open, clock: new VirtualClock() });
    expect(await play()).toBe(true);
    expect(events.at(-1)).toMatchObject({ type: "catalog.enrolled", title: "tune" });
    expect(catalog.size).toBe(1);
    // Under the name that `longwave id enroll` gives it, wherever the folder lies; what is known of it stays.
    await catalog.enroll(
      { id: "tune.wav", title: "A tune", artist: "Someone" },
      { samples: tune(3), sampleRate: rate, channels: 1 },
      { replace: true },
    );
    expect(await play()).toBe(true);
    expect(catalog.size).toBe(1);
    expect(catalog.get("tune.wav")).toMatchObject({ title: "A tune", artist: "Someone" });
    await options.catalog.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
