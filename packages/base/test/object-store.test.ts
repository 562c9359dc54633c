import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStore, type ObjectStore } from "@longwave/base";
import { askProcess, DirectoryStore, ownProcessMark } from "@longwave/base/node";
import { repositoryPath } from "@longwave/testkit";
import { afterAll, describe, expect, test } from "vitest";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && new TextDecoder().decode(bytes);
const directories: string[] = [];
const directory = async (): Promise<string> => {
  directories.push(await mkdtemp(join(tmpdir(), "longwave-store-")));
  return directories.at(-1)!;
};
afterAll(() => Promise.all(directories.map((path) => rm(path, { recursive: true, force: true }))));

async function keys(store: ObjectStore, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found;
}

const stores: readonly [string, () => Promise<ObjectStore>][] = [
  ["MemoryStore", async () => new MemoryStore()],
  ["DirectoryStore", async () => new DirectoryStore(await directory())],
];

describe.each(stores)("%s", (_name, make) => {
  test("the etag of an object never comes back, even at equal length and full speed", async () => {
    const store = await make();
    const seen = new Set<string>();
    for (let i = 0; i < 200; i++) seen.add((await store.put("k", bytesOf(String(i % 10)))).etag);
    expect(seen.size).toBe(200);
  });

  test("of many that swap at once, every one takes effect once", async () => {
    const store = await make();
    await store.put("count", bytesOf("0"));
    const increment = async (): Promise<void> => {
      for (;;) {
        const info = (await store.head("count"))!;
        const value = Number(textOf(await store.get("count")));
        // Head and get are two looks: only an unchanged etag says that they saw the same.
        if ((await store.head("count"))!.etag !== info.etag) continue;
        try {
          await store.put("count", bytesOf(String(value + 1)), { ifMatch: info.etag });
          return;
        } catch (error) {
          expect(error).toMatchObject({ code: "store/conflict" });
        }
      }
    };
    await Promise.all(Array.from({ length: 12 }, increment));
    expect(textOf(await store.get("count"))).toBe("12");
  });

  test.each(["", "/a", "a/", "a//b", "../a", "a/./b", "a\\b", "a\nb", "x".repeat(1025)])(
    "%j is no key",
    async (key) => {
      const store = await make();
      for (const call of [
        () => store.get(key),
        () => store.head(key),
        () => store.put(key, bytesOf("")),
        () => store.delete(key),
      ]) {
        await expect(call()).rejects.toMatchObject({ code: "store/bad-key", kind: "usage" });
      }
    },
  );
});

describe("DirectoryStore on a real disk", () => {
  const writer = `
    import { DirectoryStore } from ${JSON.stringify(repositoryPath("packages/base/dist/node/index.js"))};
    const store = new DirectoryStore(process.argv[1]);
    process.stdout.write("ready");
    for (let i = 0; ; i++) {
      await store.put("dir/object", new Uint8Array(300_000 + (i % 7)).fill(i % 251), i % 2 ? undefined : { ifMatch: (await store.head("dir/object")).etag });
      process.stdout.write(".");
    }`;

  test("killed at any moment, the object is an old one or a new one, whole, and the next writer goes on", async () => {
    const path = await directory();
    const store = new DirectoryStore(path);
    await store.put("dir/object", new Uint8Array(300_000));
    let changed = 0;
    for (let round = 0; round < 12; round++) {
      const before = (await store.head("dir/object"))!.etag;
      const child = spawn(process.execPath, ["--input-type=module", "-e", writer, path], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      // After none to three whole writes, somewhere in the next one.
      let written = -"ready".length;
      child.stdout.on("data", (chunk: Buffer) => {
        written += chunk.length;
        if (written === round % 4) setTimeout(() => child.kill("SIGKILL"), round);
        else if (written > round % 4) child.kill("SIGKILL");
      });
      await once(child, "close");
      const bytes = (await store.get("dir/object"))!;
      expect(bytes.length - 300_000).toBeLessThan(7);
      expect(bytes.length - 300_000).toBeGreaterThanOrEqual(0);
      expect(bytes.every((byte) => byte === bytes[0])).toBe(true);
      expect(await keys(store)).toEqual(["dir/object"]);
      if ((await store.head("dir/object"))!.etag !== before) changed++;
    }
    expect(changed).toBeGreaterThanOrEqual(9);
  });

  test("writers in several processes exclude each other", async () => {
    const path = await directory();
    const store = new DirectoryStore(path);
    await store.put("count", bytesOf("0"));
    const program = `
      import { DirectoryStore } from ${JSON.stringify(repositoryPath("packages/base/dist/node/index.js"))};
      const store = new DirectoryStore(process.argv[1]);
      for (let done = 0; done < 25; ) {
        const { etag } = await store.head("count");
        const value = Number(new TextDecoder().decode(await store.get("count")));
        if ((await store.head("count")).etag !== etag) continue;
        try {
          await store.put("count", new TextEncoder().encode(String(value + 1)), { ifMatch: etag });
          done++;
        } catch (error) {
          if (error.code !== "store/conflict") throw error;
        }
      }`;
    const children = Array.from({ length: 3 }, () =>
      spawn(process.execPath, ["--input-type=module", "-e", program, path], { stdio: "inherit" }),
    );
    for (const [status] of await Promise.all(children.map((child) => once(child, "close"))))
      expect(status).toBe(0);
    expect(textOf(await store.get("count"))).toBe("75");
  });

  test("the etag changes even where the clock goes back", async () => {
    const path = await directory();
    const store = new DirectoryStore(path);
    await store.put("k", bytesOf("a"));
    const future = new Date(Date.now() + 3_600_000);
    await utimes(join(path, "k"), future, future);
    const seen = new Set<string>([(await store.head("k"))!.etag]);
    for (let i = 0; i < 20; i++) seen.add((await store.put("k", bytesOf("b"))).etag);
    expect(seen.size).toBe(21);
    expect((await stat(join(path, "k"))).mtimeMs).toBeGreaterThanOrEqual(future.getTime());
  });

  test("leftovers of a killed writer are not listed", async () => {
    const path = await directory();
    const store = new DirectoryStore(path);
    await store.put("a", bytesOf("x"));
    await writeFile(join(path, ".123-0.tmp"), "half");
    await writeFile(join(path, ".a.lock"), "");
    expect(await keys(store)).toEqual(["a"]);
  });

  test("leftovers of killed writers are swept, those of living ones and fresh ones are not", async () => {
    const path = await directory();
    const store = new DirectoryStore(path);
    await store.put("journal/1", bytesOf("x"));
    // More than the largest process number of any system.
    const dead = 2 ** 22 + 1;
    const minutesAgo = (minutes: number) => new Date(Date.now() - 60_000 * minutes);
    const leave = async (name: string, minutes: number) => {
      await writeFile(join(path, name), "half");
      await utimes(join(path, name), minutesAgo(minutes), minutesAgo(minutes));
    };
    await leave(`.${dead}-0-1.tmp`, 5);
    await leave(`journal/.${dead}-0.tmp`, 5);
    await leave(`journal/.${dead}-0-7.lock.tmp`, 5);
    await leave(`.${process.pid}-0-2.tmp`, 2000);
    await leave(`.${dead}-0-3.tmp`, 0);
    await leave(`.${process.pid}-0-4.tmp`, 5);
    await leave(".notes.tmp", 5000);
    await leave(`deep-${dead}-0.tmp`, 5000);
    expect(await store.sweep(["", "journal/", "nowhere/"])).toBe(4);
    const left = (await readdir(path, { recursive: true })).sort();
    expect(left).toEqual(
      [
        `.${dead}-0-3.tmp`,
        `.${process.pid}-0-4.tmp`,
        ".notes.tmp",
        `deep-${dead}-0.tmp`,
        "journal",
        join("journal", "1"),
      ].sort(),
    );
  });

  test("where nobody else writes, everything that was left is swept, in folders too", async () => {
    const path = await directory();
    const store = new DirectoryStore(path);
    await store.put("rec/one/pcm/c/0/0", bytesOf("x"));
    await store.put("rec/two/a", bytesOf("x"));
    const left = `.${process.pid}-0-4.tmp`;
    for (const folder of ["rec/one/pcm/c/0", "rec/two"]) await writeFile(join(path, folder, left), "half");
    expect(await store.sweep(["rec/one/"], { alone: true })).toBe(1);
    const files = (await readdir(path, { recursive: true })).filter((name) => !/\.tmp$/.test(name));
    expect(files).toContain(join("rec", "one", "pcm", "c", "0", "0"));
    expect(await readdir(join(path, "rec/two"))).toEqual([left, "a"]);
  });

  test("two stores of one process on one directory do not write into each other's temporary files", async () => {
    const path = await directory();
    const stores = [new DirectoryStore(path), new DirectoryStore(path)];
    const contents = stores.map((_, i) => Buffer.alloc(300_000, i + 1));
    for (let round = 0; round < 3; round++) {
      await Promise.all(stores.map((store, i) => store.put(`k${i}`, contents[i]!)));
      for (const [i, store] of stores.entries())
        expect(contents[i]!.equals((await store.get(`k${i}`))!)).toBe(true);
    }
  });

  test("of several that find the lock of a dead process, each gets it once, one after the other", async () => {
    const path = await directory();
    const store = new DirectoryStore(path);
    await store.put("count", bytesOf("0"));
    // Three of six die while they hold the lock: the others all see the same dead owner.
    const program = `
      import { FileLock } from ${JSON.stringify(repositoryPath("packages/base/dist/node/file-lock.js"))};
      import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
      const [path, log] = process.argv.slice(1);
      for (let done = 0; done < 40; done++) {
        const lock = await FileLock.take(path);
        const value = Number(readFileSync(path, "utf8"));
        await new Promise((resolve) => setImmediate(resolve));
        writeFileSync(path, String(value + 1));
        appendFileSync(log, "x");
        if (done === 9 && process.argv[3] === "dies") process.kill(process.pid, "SIGKILL");
        await lock.release();
      }`;
    const [file, log] = [join(path, "count"), join(path, "log")];
    const children = Array.from({ length: 6 }, (_, i) =>
      spawn(
        process.execPath,
        ["--input-type=module", "-e", program, file, log, i % 2 === 0 ? "dies" : "lives"],
        { stdio: "inherit" },
      ),
    );
    const ends = await Promise.all(children.map(async (child) => (await once(child, "close"))[1]));
    expect(ends).toEqual(["SIGKILL", null, "SIGKILL", null, "SIGKILL", null]);
    // No increment was lost: nobody was in there together with another.
    expect(textOf(await store.get("count"))).toBe(String(3 * 10 + 3 * 40));
    expect((await stat(log)).size).toBe(3 * 10 + 3 * 40);
    // The last of the dead may have left a lock behind: it bars nobody.
    await store.put("count", bytesOf("0"), { ifMatch: (await store.head("count"))!.etag });
    expect((await readdir(path)).sort()).toEqual(["count", "log"]);
  });

  test("a lock of another machine is waited for, and taken for left behind after a minute", async () => {
    const path = await directory();
    const store = new DirectoryStore(path);
    const lock = join(path, ".k.lock");
    await writeFile(lock, `1 elsewhere.example`);
    const old = new Date(Date.now() - 61_000);
    await utimes(lock, old, old);
    await store.put("k", bytesOf("x"), { ifAbsent: true });
    expect(await readdir(path)).toEqual(["k"]);
  });

  test.skipIf(process.platform !== "linux")(
    "a lock whose owner's number belongs to another process by now is taken over at once",
    async () => {
      const path = await directory();
      const store = new DirectoryStore(path);
      const mark = ownProcessMark().split(" ");
      for (const pid of [process.pid, process.ppid]) {
        await writeFile(join(path, ".k.lock"), [pid, ...mark.slice(1, 4), "1"].join(" "));
        await store.put("k", bytesOf("x"), { ifAbsent: true });
        await store.delete("k");
        expect(await readdir(path)).toEqual([]);
      }
    },
  );

  test.skipIf(process.platform !== "linux")(
    "a process is told from one of another namespace, another boot or another time",
    () => {
      const [pid, host, boot, namespace, started] = ownProcessMark().split(" ");
      const ask = (...mark: readonly (string | number | undefined)[]) => askProcess(mark.join(" "));
      expect(ask(pid, host, boot, namespace, started)).toBe("alive");
      expect(ask(pid, host, boot, namespace, Number(started) - 1)).toBe("gone");
      expect(ask(2 ** 22 + 1, host, boot, namespace, started)).toBe("gone");
      expect(ask(2 ** 22 + 1, host, boot, "pid:[1]", started)).toBe("unknown");
      expect(ask(2 ** 22 + 1, host, "another-boot", namespace, started)).toBe("unknown");
      expect(ask(pid, "elsewhere.example", boot, namespace, started)).toBe("unknown");
      expect(ask(pid, host)).toBe("unknown");
      expect(askProcess("half a line")).toBe("unknown");
      expect(askProcess("")).toBe("unknown");
    },
  );

  test("lists in the order of whole keys, where a name and a folder begin alike", async () => {
    const store = new DirectoryStore(await directory());
    for (const key of ["a/b", "a.b", "a0", "a/b.c/d", "a/b0", "b"]) await store.put(key, bytesOf(key));
    expect(await keys(store)).toEqual(["a.b", "a/b", "a/b.c/d", "a/b0", "a0", "b"]);
    expect(await keys(store, "a/b.")).toEqual(["a/b.c/d"]);
    expect(await keys(store, "a/b.c/")).toEqual(["a/b.c/d"]);
    expect(await keys(store, "c/")).toEqual([]);
  });

  test("a failed put leaves neither object nor leftovers", async () => {
    const path = await directory();
    const store = new DirectoryStore(path);
    await store.put("file", bytesOf("x"));
    await expect(store.put("file/below", bytesOf("y"))).rejects.toMatchObject({
      code: "store/failed",
      kind: "unavailable",
      message: expect.stringMatching(/is a file where a directory is needed; name another directory/),
    });
    expect(await readdir(path)).toEqual(["file"]);
  });

  test.skipIf(process.getuid?.() === 0)("a directory without permission is read-only", async () => {
    const path = await directory();
    await chmod(path, 0o500);
    await expect(new DirectoryStore(path).put("a", bytesOf("x"))).rejects.toMatchObject({
      code: "store/read-only",
    });
    await chmod(path, 0o700);
  });
});
