import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SeededRandom } from "@longwave/base";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const hasGstreamer = spawnSync("gst-launch-1.0", ["--version"], { stdio: "ignore" }).status === 0;
const packets = 700;

let folder = "";
const running: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "longwave-link-"));
});
afterEach(() => {
  for (const each of running.splice(0)) each.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** Transport stream packets with noise inside, and some bytes of the next one. */
function makeStream(): Buffer {
  const bytes = Buffer.alloc(packets * 188 + 100);
  const random = new SeededRandom(5);
  for (let at = 0; at < bytes.length; at++) bytes[at] = at % 188 === 0 ? 0x47 : random.below(256);
  return bytes;
}

function start(command: string, args: readonly string[], stdio: ("ignore" | "pipe")[]): ChildProcess {
  const child = spawn(command, args, { stdio });
  running.push(child);
  return child;
}

/** `longwave link receive` that has bound its port. */
async function startReceiver(port: number, ...args: string[]): Promise<ChildProcess> {
  const bind = `rist://@127.0.0.1:${port}?buffer=300`;
  const child = start(
    process.execPath,
    [program, "link", "receive", "--json", "--bind", bind, ...args],
    ["ignore", "pipe", "pipe"],
  );
  let said = "";
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on("data", (chunk: Buffer) => {
      if (said.length < 10_000) said += chunk.toString("latin1");
    });
  }
  await expect.poll(() => said, { timeout: 60_000 }).toContain("schema_version");
  return child;
}

const sendArgs = (port: number) => [
  ...[program, "link", "send", "--source", "-", "--buffer", "300"],
  ...["--dest", `rist://127.0.0.1:${port}`],
];

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once("exit", resolve));
}

describe.skipIf(!existsSync(program))("longwave link (skipped before npm run build)", () => {
  test("carries standard input to a file byte by byte, each end in a thread of its own", async () => {
    const stream = makeStream();
    const target = join(folder, "out.ts");
    const receiver = await startReceiver(47_410, "--isolate", "--output", target);
    const sender = start(process.execPath, [...sendArgs(47_410), "--isolate"], ["pipe", "ignore", "pipe"]);
    const code = ended(sender);
    sender.stdin!.end(stream);
    expect(await code).toBe(0);
    await expect.poll(() => statSync(target).size, { timeout: 60_000 }).toBe(stream.length);
    expect(readFileSync(target).equals(stream)).toBe(true);
    const stopped = ended(receiver);
    receiver.kill("SIGTERM");
    expect(await stopped).toBe(0);
  }, 180_000);

  test.skipIf(!hasGstreamer)(
    "stands between fdsink and fdsrc of GStreamer (skipped without it)",
    async () => {
      const stream = makeStream();
      const [source, target] = [join(folder, "in.ts"), join(folder, "out.ts")];
      writeFileSync(source, stream);
      const receiver = await startReceiver(47_412, "--output", "-");
      const player = start(
        "gst-launch-1.0",
        ["-q", "fdsrc", "fd=0", "!", "filesink", `location=${target}`, "buffer-mode=unbuffered"],
        ["pipe", "ignore", "ignore"],
      );
      receiver.stdout!.pipe(player.stdin!);
      const feeder = start(
        "gst-launch-1.0",
        ["-q", "filesrc", `location=${source}`, "!", "fdsink", "fd=1"],
        ["ignore", "pipe", "ignore"],
      );
      const sender = start(process.execPath, sendArgs(47_412), ["pipe", "ignore", "pipe"]);
      const code = ended(sender);
      feeder.stdout!.pipe(sender.stdin!);
      expect(await code).toBe(0);
      await expect
        .poll(() => (existsSync(target) ? statSync(target).size : 0), { timeout: 60_000 })
        .toBe(stream.length);
      expect(readFileSync(target).equals(stream)).toBe(true);
    },
    180_000,
  );

  test("refuses a list of users for a link in a thread, and says what to use", () => {
    const users = join(folder, "users");
    writeFileSync(users, "");
    const args = ["link", "receive", "--isolate", "--srp-file", users, "--bind", "rist://@127.0.0.1:47414"];
    const { status, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
    expect(status).toBe(2);
    expect(stderr).toContain("srpUsers");
  }, 60_000);
});
