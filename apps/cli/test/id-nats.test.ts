import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { shardOfTrack } from "@longwave/catalog/nats";
import { hasNats, type NatsServer, startNats } from "@longwave/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isNats, parseNatsPlace } from "../src/id/nats-place.ts";
import { longwave, program, sampleRate, song, wav } from "./id-program.ts";
import { runHere } from "./run-here.ts";

/** Two songs that belong to the first of two shards, and one that belongs to the second. */
const names = ["a", "b", "c", "d", "e", "f", "g", "h"].map((name) => `${name}.wav`);
const here = names.filter((name) => shardOfTrack(name, 2) === 1).slice(0, 2);
const elsewhere = names.find((name) => shardOfTrack(name, 2) === 2)!;

describe.skipIf(!existsSync(program) || !hasNats())(
  "longwave id over NATS (needs npm run build and nats-server)",
  { timeout: 180_000 },
  () => {
    let server: NatsServer;
    let folder: string;
    let place: string;
    beforeAll(async () => {
      server = await startNats();
      place = `nats://${server.servers}?of=2&subject=test.radio&timeout=60s`;
      folder = mkdtempSync(join(tmpdir(), "longwave-id-nats-"));
      mkdirSync(join(folder, "songs"));
      for (const [i, name] of [...here, elsewhere].entries())
        writeFileSync(join(folder, "songs", name), wav(song(20 + i)));
      writeFileSync(join(folder, "songs", "broken.wav"), "no sound");
      writeFileSync(join(folder, "piece"), wav(song(20).subarray(sampleRate)));
    });
    afterAll(async () => {
      await server?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    test("queues, enrolls, serves and matches; a matcher that is killed is named, not taken for a no", async () => {
      const queued = await runHere([
        "id",
        "enroll",
        join(folder, "songs"),
        "--catalog",
        place,
        "--no-wait",
        "--json",
      ]);
      expect(JSON.parse(queued.stdout)).toMatchObject({ summary: { queued: 4, added: 0 } });
      const shard = join(folder, "shard-1");
      const common = ["--catalog", shard, "--nats", place, "--shard", "1/2", "--json"];
      const worked = longwave(["worker", ...common, "--once", "--jobs", "1"]);
      expect(worked.stderr).toBe("");
      const done = worked.events().map(({ id, status }) => `${id} ${status}`);
      const broken = shardOfTrack("broken.wav", 2) === 1 ? ["broken.wav failed"] : [];
      expect(done.sort()).toEqual([...here.map((name) => `${name} added`), ...broken].sort());

      const child = spawn(process.execPath, [program, "id", "serve", ...common, "--metrics", "0"]);
      const [line] = (await once(createInterface(child.stdout), "line")) as [string];
      const { tracks, metricsUrl } = JSON.parse(line);
      expect(tracks).toBe(here.length);
      const ask = (...more: string[]) =>
        runHere(["id", "match", join(folder, "piece"), "--catalog", place, ...more]);
      const found = JSON.parse((await ask("--json")).stdout);
      expect(found).toMatchObject({
        match: { track: { id: here[0] } },
        partial: true,
        shards: { asked: 2, missing: [{ shard: "2-of-2", code: "catalog/engine-failed" }] },
      });
      expect(await (await fetch(metricsUrl)).text()).toMatch(/^longwave_catalog_matcher_answers_total 1$/m);
      const monitored = await runHere(["id", "monitor", join(folder, "piece"), "--catalog", place, "--json"]);
      const events = monitored.stdout
        .trim()
        .split("\n")
        .map((each) => JSON.parse(each));
      expect(events.map(({ type, track }) => track?.id ?? type)).toEqual(["shards", here[0], here[0]]);
      expect(events[0].missing.map(({ shard: name }: { shard: string }) => name)).toEqual(["2-of-2"]);

      child.kill("SIGKILL");
      await once(child, "exit");
      // Nobody is left: that is an error, and no answer.
      const dead = await ask("--require");
      expect(dead).toMatchObject({ code: 5, stdout: "" });
      expect(dead.stderr).toMatch(/Shard \d-of-2 gives no answer/);
    });

    test("says what is wrong with an address, a shard, and a command that has to see the catalog itself", async () => {
      const attempts: [number, RegExp, string[]][] = [
        [5, /No connection to nats:\/\/127\.0\.0\.1:1/, ["match", "x", "--catalog", "nats://127.0.0.1:1"]],
        [
          5,
          /No matcher answers at longwave\.identify; start one/,
          ["match", "x", "--catalog", `nats://${server.servers}`],
        ],
        [2, /name the catalog of each shard/, ["remove", "x", "--catalog", place]],
        [2, /has of=0/, ["match", "x", "--catalog", "nats://127.0.0.1:1?of=0"]],
        [2, /has colour; known are/, ["match", "x", "--catalog", "nats://127.0.0.1:1?colour=red"]],
        [2, /as 1\/3/, ["serve", "--catalog", folder, "--nats", place, "--shard", "3/2"]],
        [2, /malformed; say nats:/, ["serve", "--catalog", join(folder, "x"), "--nats", "http://broker"]],
      ];
      for (const [code, message, args] of attempts) {
        const result = await runHere(["id", ...args]);
        expect(result.stderr, args.join(" ")).toMatch(message);
        expect(result.code, args.join(" ")).toBe(code);
      }
    });
  },
);

test("the address of a NATS server: login, shards, subject and timeout", () => {
  expect(parseNatsPlace("nats://radio:p%40ss@broker:4222?of=3&subject=a.b&timeout=2s")).toEqual({
    servers: "nats://broker:4222",
    user: "radio",
    password: "p@ss",
    of: 3,
    subject: "a.b",
    timeoutMs: 2000,
  });
  expect(parseNatsPlace("tls://token@broker")).toMatchObject({ user: "token", password: undefined });
  expect(["nats://x", "tls://x", "postgres://x", "/nats"].map(isNats)).toEqual([true, true, false, false]);
  expect(() => parseNatsPlace("nats://x?subject=a b")).toThrow("has subject");
});

test.skipIf(hasNats())("NATS is tested where nats-server is installed", (context) => {
  context.skip("there is no nats-server");
});
