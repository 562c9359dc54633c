import { type ChildProcess, spawn } from "node:child_process";
import { impairmentCommands, NetworkNamespaces } from "@longwave/netsim/node";
import { describe, expect, test } from "vitest";

const full = { hasNetem: true, hasNft: true };
const bare = { hasNetem: false, hasNft: false };
const lines = (...args: Parameters<typeof impairmentCommands>) =>
  impairmentCommands(...args).map((command) => command.join(" "));

describe("the commands for an impairment", () => {
  test("give netem delay, jitter around the middle, loss, rate and a queue of that many packets", () => {
    const model = { delayMs: 40, jitterMs: 10, loss: 0.015, rateBps: 6e6, queueMs: 150 };
    expect(lines("lw0", model, full)).toEqual([
      "ip link set dev lw0 mtu 1500",
      "tc qdisc replace dev lw0 root netem limit 100 delay 45ms 5ms loss 1.5% rate 6000000bit",
    ]);
  });

  test("give netem bursts as a Gilbert-Elliott chain", () => {
    const loss = { toBad: 0.01, toGood: 0.2, lossInBad: 0.9 };
    expect(lines("lw1", { loss }, full)[1]).toContain("loss gemodel 1% 20% 10% 0%");
  });

  test("shape with a token bucket and drop with nft where there is no netem", () => {
    const made = lines("lw0", { loss: 0.05, rateBps: 3e6 }, { hasNetem: false, hasNft: true });
    expect(made[1]).toBe("tc qdisc replace dev lw0 root tbf rate 3000000bit burst 15000 latency 200ms");
    expect(made.at(-1)).toBe(
      "nft add rule inet longwave_lw0 output oifname lw0 numgen random mod 10000 < 500 drop",
    );
  });

  test("cut a link with a discipline that drops everything", () => {
    expect(lines("lw0", { delayMs: 40, isUp: false }, bare).at(-1)).toBe(
      "tc qdisc replace dev lw0 root blackhole",
    );
  });

  test.each([
    ["delayMs", { delayMs: 10 }],
    ["corrupt", { corrupt: 0.1 }],
    ["loss", { loss: 0.1 }],
    ["reorder", { reorder: 0.1 }],
  ])("refuse %s where the system cannot do it, and say what can", (field, model) => {
    expect(() => impairmentCommands("lw0", model, bare)).toThrow(
      expect.objectContaining({ code: "netsim/unsupported", message: expect.stringContaining(field) }),
    );
  });

  test("refuse a model that is none", () => {
    expect(() => impairmentCommands("lw0", { rateBps: -1 }, full)).toThrow("rateBps is -1");
  });
});

/** Answers every datagram on port 7000 with itself. */
const echo = `
const socket = require("node:dgram").createSocket("udp4");
socket.on("message", (bytes, from) => socket.send(bytes, from.port, from.address));
socket.bind(7000, "0.0.0.0", () => console.log("ready"));`;
/** Sends to each address named until it answers; prints which did within a second of the first answer. */
const ask = `
const socket = require("node:dgram").createSocket("udp4");
const seen = new Set();
socket.on("message", (_, from) => {
  if (seen.size === 0) setTimeout(() => { console.log([...seen].sort().join()); process.exit(); }, 1000);
  seen.add(from.address);
});
setInterval(() => { for (const each of process.argv.slice(1)) socket.send("x", 7000, each); }, 50);`;

describe.skipIf(!NetworkNamespaces.isPermitted())(
  "network namespaces (skipped where they are not permitted)",
  () => {
    test("carry datagrams over both links, and over the other one when a link is cut", async () => {
      const lab = await NetworkNamespaces.open([{ forward: { rateBps: 6e6 } }, { forward: {} }]);
      const running: ChildProcess[] = [];
      const start = (end: "sender" | "receiver", script: string, args: readonly string[] = []) => {
        const [program, ...rest] = lab.command(end, [process.execPath, "-e", script, ...args]);
        const child = spawn(program, rest, { stdio: ["ignore", "pipe", "inherit"] });
        running.push(child);
        return new Promise<string>((resolve) =>
          child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString().trim())),
        );
      };
      try {
        const addresses = lab.links.map((link) => link.receiverAddress);
        expect(await start("receiver", echo)).toBe("ready");
        expect(await start("sender", ask, addresses)).toBe("10.77.0.2,10.77.1.2");
        await lab.links[0]!.set("sender", { isUp: false });
        expect(await start("sender", ask, addresses)).toBe("10.77.1.2");
        await expect(lab.links[0]!.set("sender", { rateBps: 0 })).rejects.toMatchObject({
          code: "netsim/bad-model",
        });
      } finally {
        for (const child of running) child.kill("SIGKILL");
        await lab.close();
      }
    }, 60_000);
  },
);
