// npm run fuzz -- bond 60s | --count 10000000: mutated datagrams through every parser, and through a whole receiver and sender.
import { SeededRandom, VirtualClock } from "@longwave/base";
import { createReceiver, createSender, portableCrypto, singleSrpUser } from "@longwave/bond";
import { nodeCrypto } from "@longwave/bond/node";
import { testPayloadBytes, VirtualNetwork } from "@longwave/netsim";

const args = process.argv.slice(2);
const count = option("--count");
const seconds = Number(/^(\d+)s$/.exec(args[0] ?? "")?.[1] ?? 10);
const random = new SeededRandom(Number(option("--seed") ?? 1));
const clock = new VirtualClock();
const network = new VirtualNetwork(clock, 1);
const corpus: Uint8Array[] = [];

// Real sessions give the corpus: both profiles, clear, encrypted and authenticated, with losses so that there are NACKs.
const users = singleSrpUser(nodeCrypto, "fuzz", "fuzz");
for (const [index, profile] of (["simple", "main", "main", "main"] as const).entries()) {
  const secret = index === 2 ? { secret: "fuzz" } : {};
  const [from, to] = [`10.0.${index}.1`, `10.0.${index}.9`];
  network.addLink(`l${index}`, from, to, { delayMs: 5, loss: 0.1 });
  const sessionRandom = new SeededRandom(index + 1);
  const environment = {
    clock,
    random: sessionRandom,
    // Exponentiations by the machine: forged exchanges would otherwise take most of the time.
    crypto: { ...portableCrypto(sessionRandom), modPow: nodeCrypto.modPow! },
    openSocket: (request: { address: string; port: number }) =>
      network.openSocket(request.address, request.port),
  };
  const receiver = createReceiver(
    {
      profile,
      listen: `rist://@${to}:7000`,
      bufferMs: 100,
      maxBufferBytes: 4e6,
      ...secret,
      ...(index === 3 ? { srpUsers: users } : {}),
    },
    environment,
  );
  const sender = createSender(
    {
      profile,
      links: [{ to: `rist://${to}:7000`, localAddress: from }],
      bufferMs: 100,
      maxBufferBytes: 4e6,
      ...secret,
      ...(index === 3 ? { srp: { username: "fuzz", password: "fuzz" } } : {}),
    },
    environment,
  );
  network.observe((_link, _isForward, _sentUs, _arrivalUs, bytes, start, end) => {
    if (corpus.length < 4000) corpus.push(bytes.slice(start, end));
  });
  const payload = new Uint8Array(index === 0 ? testPayloadBytes : 120);
  for (let i = 0; i < 300; i++) {
    sender.send(payload);
    clock.runUntil(clock.nowUs() + 3000);
  }
  receiver.onPacket(() => undefined);
}
network.observe(() => undefined);

// An attacker at the sender's address and a stranger throw mutations at both ends of all sessions.
const attackers = [0, 1, 2, 3].map((index) => network.openSocket(`10.0.${index}.1`, 6666));
const backAttackers = [0, 1, 2, 3].map((index) => network.openSocket(`10.0.${index}.9`, 6667));
const bytes = new Uint8Array(2048);
const startedMs = performance.now();
let inputs = 0;
const startRss = process.memoryUsage().rss;
let peakRss = startRss;
for (
  ;
  count === undefined ? performance.now() - startedMs < seconds * 1000 : inputs < Number(count);
  inputs++
) {
  const length = mutate();
  const index = inputs % 4;
  if (random.below(2) === 0)
    attackers[index]!.send(bytes, 0, length, `10.0.${index}.9`, 7000 + random.below(2));
  else backAttackers[index]!.send(bytes, 0, length, `10.0.${index}.1`, 49_152 + random.below(6));
  if (inputs % 16 === 0) clock.runUntil(clock.nowUs() + 1000);
  if (inputs % 65_536 === 0) peakRss = Math.max(peakRss, process.memoryUsage().rss);
}
const elapsed = (performance.now() - startedMs) / 1000;
const growthMb = (process.memoryUsage().rss - startRss) / 1e6;
console.log(`bond: ${inputs} datagrams in ${elapsed.toFixed(1)} s, ${corpus.length} seeds, no escape`);
console.log(
  `memory grew by ${growthMb.toFixed(0)} MB, at most ${((peakRss - startRss) / 1e6).toFixed(0)} MB`,
);
process.exit(0);

/** Copies a datagram of the corpus and spoils it: flips, cuts, extends, splices. Returns its length. */
function mutate(): number {
  const seed = corpus[random.below(corpus.length)]!;
  bytes.set(seed);
  let length = seed.length;
  for (let edits = random.below(6); edits > 0; edits--) {
    const kind = random.below(6);
    const at = random.below(Math.max(1, random.below(2) === 0 ? Math.min(48, length) : length));
    if (kind === 0) bytes[at] = bytes[at]! ^ (1 << random.below(8));
    else if (kind === 1) bytes[at] = random.below(256);
    else if (kind === 2) bytes[at] = [0, 0xff, 0x80, 0x7f][random.below(4)]!;
    else if (kind === 3) length = random.below(length + 1);
    else if (kind === 4) length = Math.min(1500, length + random.below(64));
    else {
      const other = corpus[random.below(corpus.length)]!;
      const part = other.subarray(0, random.below(Math.min(other.length, 1500 - at)) + 1);
      bytes.set(part, at);
      length = Math.max(length, Math.min(1500, at + part.length));
    }
  }
  return Math.min(1500, Math.max(1, length));
}

function option(name: string): string | undefined {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
}
