import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { Archive } from "@longwave/archive";
import { SeededRandom } from "@longwave/base";
import { DirectoryStore } from "@longwave/base/node";
import { Catalog } from "@longwave/catalog";
import { createSeekableDecoder } from "@longwave/opus";
import { type Job, type JobQueue, StationError } from "@longwave/station/jobs";
import { hasNats, postgresPrograms, repositoryPath, startNats, startPostgres } from "@longwave/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openShownQueue, ShownQueue } from "../src/jobs/shown-queue.ts";
import { song, wav } from "./id-program.ts";
import { runHere } from "./run-here.ts";

const program = repositoryPath("apps/cli/dist/main.js");
/** `npm run verify:exhaustive` asks for more. */
const asked = { jobs: process.env["LONGWAVE_JOBS"], kills: process.env["LONGWAVE_KILLS"] };
const hunted = asked.jobs === undefined ? 2 : 4;
/** `jobs work`, whose worker processes are killed now and then, at moments that a seed decides, and started again. */
class HuntedWorkers {
  readonly ended: Promise<void>;
  #child: ChildProcess | undefined;

  constructor(args: readonly string[], folder: string, kill: () => number | undefined) {
    this.ended = this.#run(args, folder, kill);
  }

  async #run(args: readonly string[], folder: string, kill: () => number | undefined): Promise<void> {
    for (;;) {
      const child = spawn(process.execPath, [program, "jobs", "work", "--json", ...args], { cwd: folder });
      this.#child = child;
      let said = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
      let rest = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          const delayMs = line.startsWith('{"type":"started"') ? kill() : undefined;
          if (delayMs !== undefined) setTimeout(() => killWorkerOf(line), delayMs);
        }
      });
      const [status, signal] = await new Promise<[number | null, string | null]>((resolve) => {
        child.once("close", (...how) => resolve(how));
      });
      // 1: a job failed for good, as the poison must; anything worse would have been said.
      const complaints = said.replaceAll("longwave: A worker was killed; starting another.\n", "");
      if (status === 0 || (status === 1 && complaints === "")) return;
      if (signal !== "SIGKILL") throw new Error(`A worker ended with ${status ?? signal}: ${said}`);
    }
  }

  end(): void {
    this.#child?.kill("SIGKILL");
  }
}

/** With `--jobs` it is not the process that was started here, but one of its own. */
function killWorkerOf(line: string): void {
  const pid = Number(/^process (\d+) /.exec((JSON.parse(line) as { job: Job }).job.worker ?? "")?.[1]);
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    // It has ended by itself.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

interface Backend {
  readonly name: string;
  /** One command with `--jobs`, or as many commands. */
  readonly supervised: boolean;
  readonly isThere: boolean;
  start(): Promise<{ readonly url: string; close(): Promise<void> }>;
}

const backends: readonly Backend[] = [
  {
    name: "PostgreSQL",
    supervised: false,
    isThere: postgresPrograms() !== undefined,
    start: async () => {
      const server = await startPostgres(postgresPrograms()!);
      const url = `postgres://${server.user}@localhost/postgres?host=${server.socketFolder}`;
      return { url, close: () => server.close() };
    },
  },
  {
    name: "NATS JetStream",
    supervised: true,
    isThere: hasNats(),
    start: async () => {
      const server = await startNats();
      return { url: `nats://${server.servers}`, close: () => server.close() };
    },
  },
];

describe.skipIf(!existsSync(program)).each(backends)("jobs over $name (needs npm run build)", (backend) => {
  const sources = Number(asked.jobs ?? 4) / 2;
  const kills = Number(asked.kills ?? 1);
  const patienceMs = 150_000 + 4000 * sources;
  let folder = "";
  let server: Awaited<ReturnType<Backend["start"]>> | undefined;
  const workers: HuntedWorkers[] = [];
  const jobs = async (...args: string[]) => {
    const run = await runHere(["jobs", ...args, "--queue", server!.url, "--json"]);
    expect([run.code, run.stderr]).toEqual([0, ""]);
    const lines = run.stdout.split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line));
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "longwave-jobs-"));
    if (backend.isThere) server = await backend.start();
  }, 120_000);
  afterAll(async () => {
    for (const worker of workers) worker.end();
    await Promise.allSettled(workers.map(({ ended }) => ended));
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test(
    "workers that are killed at random do every job exactly once, and poison fails with its reason",
    async (context) => {
      context.skip(!backend.isThere, `${backend.name} is not installed`);
      const music = join(folder, "music");
      mkdirSync(music);
      for (let i = 0; i < sources; i++) writeFileSync(join(music, `${i}.wav`), wav(song(i + 1, 3)));
      writeFileSync(join(folder, "poison.wav"), "RIFF, but no sound at all");
      writeFileSync(join(folder, "gone.wav"), wav(song(1000, 1)));

      // With the five attempts of the default: being killed is none.
      expect((await jobs("add", "import", music, "--lossy")).at(-1)).toEqual({
        summary: { added: sources, known: 0 },
      });
      expect((await jobs("add", "enroll", music)).at(-1)).toEqual({
        summary: { added: sources, known: 0 },
      });
      const doomed = ["poison.wav", "gone.wav"].map((name) => join(folder, name));
      const [poison, gone] = await jobs("add", "import", ...doomed, "--attempts", "2");
      unlinkSync(join(folder, "gone.wav"));

      const random = new SeededRandom(7);
      let [begun, killed] = [0, 0];
      // Every third job that is begun is the last of its worker, while kills are left.
      const kill = () => {
        if (++begun % 3 !== 0 || killed === kills) return undefined;
        killed++;
        return random.below(80);
      };
      const places = ["--archive", "archive", "--catalog", "catalog", "--queue", server!.url];
      const args = [...places, "--until-empty", "--lease", "2s", "--retry", "200ms"];
      if (backend.supervised) args.push("--jobs", String(hunted));
      for (let i = 0; i < (backend.supervised ? 1 : hunted); i++)
        workers.push(new HuntedWorkers(args, folder, kill));
      await Promise.all(workers.map(({ ended }) => ended));
      expect(killed).toBe(kills);

      const [{ jobs: all, counts }] = (await jobs("ls", "--limit", "10000")) as [
        { jobs: readonly Job[]; counts: object },
      ];
      const failed = all.filter(({ state }) => state === "failed");
      const reasons = failed.map(
        ({ source, attempts, abandoned = 0, failure }) =>
          `${basename(source)} after ${attempts} attempts, ${abandoned} abandoned: ${failure?.message} (${failure?.code})`,
      );
      const doomedOnly = failed.map(({ source }) => basename(source)).sort();
      expect(doomedOnly, `failed: ${reasons.join("; ")}`).toEqual(["gone.wav", "poison.wav"]);
      expect(counts).toEqual({ waiting: 0, running: 0, done: 2 * sources, failed: 2, cancelled: 0 });
      const jobOf = (id: string) => all.find((job) => job.id === id);
      expect(jobOf(poison.job.id)?.failure?.code).toMatch(/^media\//);
      const { attempts, abandoned = 0, failure } = jobOf(gone.job.id)!;
      expect(failure?.code).toBe("station/unreadable");
      expect(attempts - abandoned).toBeGreaterThanOrEqual(2);

      // What the jobs came to: each recording once, each track once, and everything whole.
      const archive = await Archive.open(new DirectoryStore(join(folder, "archive")), {
        decoder: createSeekableDecoder,
      });
      const recordings = await archive.list();
      const names = Array.from({ length: sources }, (_, i) => `${i}.wav`).sort();
      expect(recordings.map(({ source }) => source.name).sort()).toEqual(names);
      expect(recordings.map(({ id }) => id).sort()).toEqual(
        all.flatMap(({ result }) => result?.["recording"] ?? []).sort(),
      );
      for (const { id } of recordings) expect((await archive.verify(id, "hashes")).findings).toEqual([]);
      archive.close();
      await using catalog = await Catalog.open(new DirectoryStore(join(folder, "catalog")), {
        readOnly: true,
      });
      const tracks = catalog.tracks().map(({ id }) => id);
      expect([...tracks].sort()).toEqual(names);
      expect((await jobs("add", "enroll", music)).at(-1)).toEqual({ summary: { added: 0, known: sources } });

      // What is cleared is forgotten, and done anew when it is added anew; a worker says with its status that a job failed.
      const clear = async (count: number, ...options: string[]) => {
        let cleared = 0;
        // The end of a job may take a moment to reach every part of a queue.
        while (cleared < count) cleared += (await jobs("clear", ...options))[0].cleared;
        expect(cleared).toBe(count);
      };
      await clear(2 * sources);
      await clear(2, "--failed");
      if (backend.supervised) return;
      await jobs("add", "import", join(folder, "poison.wav"));
      const worker = spawnSync(
        process.execPath,
        [program, "jobs", "work", "--json", ...places, "--until-empty"],
        {
          cwd: folder,
          encoding: "utf8",
        },
      );
      expect([worker.status, worker.stderr]).toEqual([1, ""]);
      expect(worker.stdout).toContain('"type":"failed"');
    },
    2 * patienceMs,
  );
});

test("a job queue that is not there is named in one line, with a status that says so", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as { port: number };
  await new Promise((resolve) => taken.close(resolve));
  for (const queue of [`postgres://nobody@127.0.0.1:${port}/x`, `nats://127.0.0.1:${port}`]) {
    const run = await runHere(["jobs", "ls", "--queue", queue]);
    expect(run.stderr).toMatch(/^longwave: The job queue .*(ECONNREFUSED|refused).*jobs-unavailable\)\n$/i);
    expect(run.code).toBe(5);
  }
  const clip = join(mkdtempSync(join(tmpdir(), "longwave-jobs-")), "clip.wav");
  writeFileSync(clip, wav(song(1, 1)));
  const match = await runHere(["id", "match", clip, "--catalog", `postgres://nobody@127.0.0.1:${port}/x`]);
  rmSync(dirname(clip), { recursive: true });
  expect([match.code, match.stderr]).toEqual([
    5,
    expect.stringMatching(/^longwave: PostgreSQL failed.*ECONNREFUSED.*\n$/),
  ]);
  const none = await runHere(["jobs", "ls"]);
  expect([none.code, none.stderr]).toEqual([2, expect.stringMatching(/No job queue is configured.*--queue/)]);
  const other = await runHere(["jobs", "ls", "--queue", "redis://x"]);
  expect([other.code, other.stderr]).toEqual([2, expect.stringMatching(/must begin with postgres:/)]);
  const nowhere = await runHere(["jobs", "work", "--queue", `nats://127.0.0.1:${port}`]);
  expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringMatching(/--archive PLACE/)]);
});

test("a server that shows a queue goes on where that is away, says so, and finds it when it is back", async () => {
  const before = process.env["LONGWAVE_JOBS_URL"];
  process.env["LONGWAVE_JOBS_URL"] = "nats://127.0.0.1:1";
  try {
    const warnings: string[] = [];
    const away = await openShownQueue(undefined, (message) => warnings.push(message));
    expect(warnings).toEqual([expect.stringMatching(/cannot be reached.*everything else goes on\.$/)]);
    expect(away!.away).toMatch(/^The job queue at 127\.0\.0\.1:1 cannot be reached/);
    await expect(away!.list()).rejects.toMatchObject({ code: "station/jobs-unavailable" });
    await away!.close();
    process.env["LONGWAVE_JOBS_URL"] = "redis://x";
    await expect(openShownQueue(undefined, () => {})).rejects.toMatchObject({ code: "config/bad-value" });
  } finally {
    if (before === undefined) delete process.env["LONGWAVE_JOBS_URL"];
    else process.env["LONGWAVE_JOBS_URL"] = before;
  }

  const states: (string | undefined)[] = [];
  let isThere = false;
  const failing = () =>
    Promise.reject(new StationError("station/jobs-unavailable", "unavailable", "Nobody there."));
  const queue = {
    pending: async () => (isThere ? 0 : failing()),
    list: async () => (isThere ? [] : failing()),
    close: async () => {},
  } as unknown as JobQueue;
  const shown = await ShownQueue.open(
    async () => (isThere ? queue : failing()),
    (now) => states.push(now),
    5,
  );
  expect(shown.away).toBe("Nobody there.");
  isThere = true;
  await expect.poll(() => shown.away, { timeout: 60_000 }).toBeUndefined();
  expect(await shown.list()).toEqual([]);
  isThere = false;
  await expect.poll(() => shown.away, { timeout: 60_000 }).toBe("Nobody there.");
  expect(states).toEqual(["Nobody there.", undefined, "Nobody there."]);
  await shown.close();
});
