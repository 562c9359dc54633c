import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { VirtualClock } from "@longwave/base";
import { DirectoryStore, ownProcessMark } from "@longwave/base/node";
import { repositoryPath } from "@longwave/testkit";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { openStationArchive } from "../src/node/index.ts";
import { StreamClaim } from "../src/node/stream-claim.ts";
import { makeTemporaryArchive, sweepTemporaryArchives } from "../src/node/temporary-archive.ts";

const root = mkdtempSync(join(tmpdir(), "longwave-claims-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let directory = "";
let count = 0;
beforeEach(() => {
  directory = join(root, String(count++));
  mkdirSync(directory);
});

const lock = () => join(directory, ".studio-1.lock");
const take = (options: Parameters<typeof StreamClaim.take>[2] = {}) =>
  StreamClaim.take(directory, "studio-1", options);
const minuteAgo = () => new Date(Date.now() - 60_000);
const inUse = { code: "station/archive-in-use", kind: "unavailable" };
/** Holders that nobody here can ask. */
const far = {
  "another machine": "1 elsewhere.example boot pid:[1] 1",
  "another container": `1 ${hostname()} ${ownProcessMark().split(" ")[2]} pid:[1] 1`,
  "a run before the machine was started anew": `${process.pid} ${hostname()} boot pid:[1] 1`,
};

describe("the claim on a stream's recordings", () => {
  test("bars a second station, and nothing is left of it when it is given back", async () => {
    const claim = await take();
    await expect(take()).rejects.toMatchObject({
      ...inUse,
      message: expect.stringMatching(new RegExp(`process ${process.pid}\\).*studio-1.*--archive`)),
    });
    await claim.release();
    await claim.release();
    expect(readdirSync(directory)).toEqual([]);
    await (await take()).release();
  });

  test.skipIf(process.platform !== "linux")(
    "of a process whose number another one has by now is taken over at once",
    async () => {
      const [, ...rest] = ownProcessMark().split(" ");
      for (const pid of [process.pid, process.ppid]) {
        writeFileSync(lock(), `${[pid, ...rest.slice(0, 3), "1"].join(" ")}\nleft\n`);
        const claim = await take();
        expect(readFileSync(lock(), "utf8")).toContain(ownProcessMark());
        await claim.release();
      }
    },
  );

  for (const [who, mark] of Object.entries(far)) {
    test(`of ${who} is respected while it gives signs of life`, async () => {
      writeFileSync(lock(), `${mark}\nfirst\n`);
      let second = 0;
      const beating = setInterval(() => utimesSync(lock(), new Date(), new Date(Date.now() + second++)), 20);
      try {
        await expect(take()).rejects.toMatchObject(inUse);
      } finally {
        clearInterval(beating);
      }
      expect(readFileSync(lock(), "utf8")).toBe(`${mark}\nfirst\n`);
      expect(readdirSync(directory)).toEqual([".studio-1.lock"]);
    });

    test(`of ${who} that has been silent for long is taken over`, async () => {
      writeFileSync(lock(), `${mark}\nfirst\n`);
      utimesSync(lock(), minuteAgo(), minuteAgo());
      const claim = await take();
      expect(readFileSync(lock(), "utf8")).not.toContain("first");
      await claim.release();
    });
  }

  test("that is silent is watched for as long as its holder may be silent, also with a clock that is ahead", async () => {
    writeFileSync(lock(), `${far["another machine"]}\nfirst\n`);
    const ahead = new Date(Date.now() + 3_600_000);
    utimesSync(lock(), ahead, ahead);
    const claim = await take({ deadAfterMs: 300 });
    await claim.release();
  });

  test("that another has taken over is not taken back, and not removed", async () => {
    const lost: string[] = [];
    const claim = await take({ beatMs: 10, onLost: (reason) => void lost.push(reason) });
    rmSync(lock());
    writeFileSync(lock(), `${far["another machine"]}\nwinner\n`);
    await expect.poll(() => lost, { timeout: 30_000 }).toHaveLength(1);
    expect(lost[0]).toContain("process 1 on elsewhere.example");
    await claim.release();
    expect(readFileSync(lock(), "utf8")).toBe(`${far["another machine"]}\nwinner\n`);
  });

  test("is not removed by a holder that has not noticed yet", async () => {
    const claim = await take({ beatMs: 1e6 });
    rmSync(lock());
    writeFileSync(lock(), `${far["another machine"]}\nwinner\n`);
    await claim.release();
    expect(readFileSync(lock(), "utf8")).toContain("winner");
  });

  test("of a dead process goes to one of several that want it", async () => {
    writeFileSync(lock(), `${far["another machine"]}\nfirst\n`);
    utimesSync(lock(), minuteAgo(), minuteAgo());
    const all = await Promise.allSettled(Array.from({ length: 6 }, () => take()));
    const winners = all.filter((each) => each.status === "fulfilled");
    expect(winners).toHaveLength(1);
    for (const each of all) if (each.status === "rejected") expect(each.reason).toMatchObject(inUse);
    await winners[0]!.value.release();
    expect(readdirSync(directory)).toEqual([]);
  });

  const unshare = ["--pid", "--fork", "--mount-proc"];
  const built = repositoryPath("packages/station/dist/node/stream-claim.js");
  const mayUnshare = existsSync(built) && spawnSync("unshare", [...unshare, "true"]).status === 0;
  test.skipIf(!mayUnshare)(
    "bars a station of another process namespace (needs unshare, the right to it, and npm run build)",
    async () => {
      const claim = await take({ beatMs: 50 });
      const before = readFileSync(lock(), "utf8");
      const program = `
        import { StreamClaim } from ${JSON.stringify(built)};
        await StreamClaim.take(${JSON.stringify(directory)}, "studio-1").catch((error) => {
          process.stdout.write(error.code);
        });`;
      const other = spawn("unshare", [...unshare, process.execPath, "--input-type=module", "-e", program]);
      let said = "";
      other.stdout.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
      await once(other, "close");
      expect(said).toBe("station/archive-in-use");
      expect(readFileSync(lock(), "utf8")).toBe(before);
      await claim.release();
    },
  );
});

describe("a station's archive", () => {
  const clock = new VirtualClock();

  test("says when its stream was taken over", async () => {
    const { archive, close } = await openStationArchive({
      directory,
      streams: ["studio-1"],
      clock,
      beatMs: 10,
    });
    rmSync(lock());
    writeFileSync(lock(), `${far["another machine"]}\nwinner\n`);
    await expect.poll(() => archive.lost.get("studio-1"), { timeout: 30_000 }).toContain("elsewhere.example");
    await close();
    expect(readFileSync(lock(), "utf8")).toContain("winner");
  });

  test("is no place of another kind, and no bucket without a name", async () => {
    for (const place of [
      "redis://host/0",
      "s3://",
      "s3:///prefix",
      "http://host/archive",
      "postgres://host/db",
    ]) {
      await expect(
        openStationArchive({ directory: place, streams: ["studio-1"], clock }),
      ).rejects.toMatchObject({
        code: "station/bad-option",
        kind: "usage",
        message: expect.stringContaining("s3://bucket/prefix"),
      });
    }
  });

  test("in a temporary folder goes with the next start where its station was killed, and nobody else's does", async () => {
    const claimed = async (mark: string) => {
      const folder = await makeTemporaryArchive(directory);
      writeFileSync(join(folder, ".studio-1.lock"), `${mark}\nx\n`);
      await new DirectoryStore(folder).put("rec/a/b", new Uint8Array(3));
      return folder;
    };
    const dead = await claimed(`${2 ** 22 + 1} ${ownProcessMark().split(" ").slice(1).join(" ")}`);
    const alive = await claimed(ownProcessMark());
    const elsewhere = await claimed(far["another container"]);
    const unclaimed = await makeTemporaryArchive(directory);
    const own = join(directory, "longwave-archive-of-mine");
    mkdirSync(own);
    writeFileSync(join(own, ".studio-1.lock"), `${2 ** 22 + 1} ${hostname()}\nx\n`);
    expect(await sweepTemporaryArchives(directory)).toBe(1);
    const left = readdirSync(directory).map((name) => join(directory, name));
    expect(left.sort()).toEqual([alive, elsewhere, own, unclaimed].sort());
    expect(left).not.toContain(dead);
  });
});
