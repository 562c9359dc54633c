import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeWav } from "@longwave/media";
import { composeSong, SongRenderer } from "@longwave/station";
import { repositoryPath } from "@longwave/testkit";
import { expect, test } from "vitest";

const program = repositoryPath("apps/cli/dist/main.js");

/**
 * Players without a loudspeaker that say where they are, each with how it is started and where its clock stands in what it says; they
 * play until they are ended.
 */
const players: readonly (readonly [string, readonly string[], RegExp])[] = [
  ["ffplay", ["-nodisp", "-loglevel", "error", "-stats"], /(\d+\.\d+) M-A:/],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the player's own notation
  ["mpv", ["--no-video", "--ao=null", "--term-status-msg=at ${=time-pos} s"], /at (\d+\.\d+) s/],
];

/** Resolves once a player has played half a second, or is not installed; rejects with its words where it ends before. */
function playHalfASecond([name, options, clock]: (typeof players)[number], address: string): Promise<void> {
  if (spawnSync(name, ["-version"]).error !== undefined) return Promise.resolve();
  const player = spawn(name, [...options, address], { env: { ...process.env, SDL_AUDIODRIVER: "dummy" } });
  return new Promise((resolve, reject) => {
    let said = "";
    const hear = (text: Buffer) => {
      said = (said + text.toString()).slice(-2000);
      const last = said.split(/[\r\n]+/).findLast((line) => clock.test(line)) ?? "";
      if (Number(clock.exec(last)?.[1] ?? 0) < 0.5) return;
      player.removeAllListeners("exit");
      player.once("exit", () => resolve());
      player.kill("SIGKILL");
    };
    player.stdout.on("data", hear);
    player.stderr.on("data", hear);
    player.once("exit", (status) => reject(new Error(`${name} ended with ${status}: ${said}`)));
  });
}

test.skipIf(!existsSync(program))(
  "several stations in one process have streams, programmes and recordings of their own, and players play them (needs npm run build)",
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
      // The second station's song is in the server's catalog too, and a clip of it is named.
      const tracks = async () => {
        const page = await get<{ tracks: { id: string }[] }>("v1/catalog/tracks");
        return page.tracks.map(({ id }) => id).sort();
      };
      await expect
        .poll(tracks, { timeout: 150_000, interval: 300 })
        .toEqual(["studio-1-song-01", "studio-2-song-01"]);
      const samples = new Float32Array(2 * 10 * 48_000);
      new SongRenderer(composeSong(8, 0)).read(samples, 0);
      const clip = encodeWav(samples, { sampleRate: 48_000, channels: 2, encoding: "s16" });
      const answer = await fetch(`${url}v1/identify`, { method: "POST", body: new Uint8Array(clip) });
      expect(await answer.json()).toMatchObject({ match: { track: "studio-2-song-01" } });
      const paths = ["studio-1/audio", "studio-2/audio?format=wav"];
      await Promise.all(players.map((player, i) => playHalfASecond(player, `${url}v1/streams/${paths[i]}`)));
    } finally {
      child.removeAllListeners("exit");
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGINT");
      await gone;
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
