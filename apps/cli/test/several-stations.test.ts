import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryPath } from "@longwave/testkit";
import { expect, test } from "vitest";

const program = repositoryPath("apps/cli/dist/main.js");

test.skipIf(!existsSync(program))(
  "several stations in one process have streams, programmes and recordings of their own (needs npm run build)",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "longwave-several-"));
    const args = ["station", "--port", "0", "--songs", "1", "--stations", "2", "--archive", "archive"];
    const env = { ...process.env, NO_COLOR: "1" };
    const child: ChildProcess = spawn(process.execPath, [program, ...args], { cwd: folder, env });
    try {
      const url = await new Promise<string>((resolve, reject) => {
        let text = "";
        child.on("exit", (status) => reject(new Error(`It ended with ${status}.`)));
        child.stdout!.setEncoding("utf8").on("data", (piece: string) => {
          text += piece;
          const found = /(http:\/\/\S+)\s/.exec(text)?.[1];
          if (found !== undefined) resolve(found);
        });
      });
      const get = async <T>(path: string) => (await (await fetch(url + path)).json()) as T;
      const { streams } = await get<{ streams: { id: string; programme: string }[] }>("v1/streams");
      expect(streams.map(({ id }) => id)).toEqual(["studio-1", "studio-2"]);
      expect(streams[0]!.programme).not.toBe(streams[1]!.programme);
      const recorded = async () => {
        const { recordings } = await get<{ recordings: { stream: string }[] }>("v1/archive");
        return recordings.map(({ stream }) => stream).sort();
      };
      await expect.poll(recorded, { timeout: 150_000, interval: 300 }).toEqual(["studio-1", "studio-2"]);
    } finally {
      child.removeAllListeners("exit");
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGINT");
      await gone;
      rmSync(folder, { recursive: true, force: true });
    }
  },
  110_000,
);
