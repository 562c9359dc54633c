import { SeededRandom, VirtualClock } from "@longwave/base";
import { createReceiver, createSender, formatSrpLine, parseSrpFile, portableCrypto } from "@longwave/bond";
import { nodeCrypto } from "@longwave/bond/node";
import { VirtualNetwork } from "@longwave/netsim";
import { describe, expect, test } from "vitest";
import { createSrpVerifier, SrpClient, SrpServer } from "../src/auth/srp.ts";
import { singleSrpUser } from "../src/auth/srp-users.ts";

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
const hex = (value: Uint8Array | undefined) =>
  Buffer.from(value ?? [])
    .toString("hex")
    .toUpperCase();

// The example flow of TR-06-2 with its 512-bit group, and the same numbers with the hashes of EAP version 2 (zero state).
const group = {
  modulus:
    0xd66aafe8e245f9ac245a199f62ce61ab8fa90a4d80c71cd2adfd0b9da163b29f2a34afbdb3b1b5d0102559ce63d8b6e86b0aa59c14e79d4aa62d1748e4249df3n,
  generator: 2n,
};
const salt = bytes("72F9D5383B7EB7599FB63028F47475B60A55F313D40E0BE023E026C97C0A2C32");
const secretA = bytes("138AB4045633AD14961CB1AD0720B1989104151C0708794491113302CCCC27D5");
const secretB = bytes("ED0D58FF861A1FC75A0829BEA5F1392D2B13AB2B05CBCD6ED1E71AAAD761E856");
const publicA =
  "92C4CEFB95A1AE2E576A252B19273FD4613F44FDA4AC8CC84A089D5740756223943882BAD34CB55F35139CDDB60E0D19ACD2B884CFB27F53C8EA969269ABE014";
const examples = [
  {
    hasZeroState: false,
    verifier:
      "2E06FEA163D6E9FF0FA7ED6C59233389D0DBA0C08C0F72F6DAD1E2A3D8B92A772F070439D1C11B87FA990D2DAF04EB830CC77D61ACC4B253297379CD8E6DC3AF",
    B: "858CDC811B5EEAA7F58C12767D309EBD2DF1D46F59EF5686052E6511CF853CA4E66910BDBD28CBEAE2F2DEE7F6BF3756757BD69E88D48C77B5371A82EF52AD84",
    M1: "E28147C801BAB9C37647C1FF4A29FA720E3F5676434FB85EA9A752CC1F9B1AD4",
    M2: "84F19797916FBDCAB1321CA78B575B145B586150248AFAA156361B8BCB139B32",
  },
  {
    hasZeroState: true,
    verifier:
      "557EA208F87A23C28936423EC16ABE6BD959933DFBEFC0B36EBD9335DE3997C97DDFA081D64CFBC6EFBFD5BE19F2ED9F77922FD7E88BBA6C6B310A9018EC4305",
    B: "85CAE0C578E6927B78BEB173FB0F9BFC8ECB4C13542BB8BE3B0F3447B3764A234177E22D180DCAD21F33302248B7452916DC58ABD309C8A77440A228B8516A4E",
    M1: "EBFC2D79BEB3CBF7BA83C27E2B51524F8CD3F3B2C4804815AD2516D465DF80C9",
    M2: "FB14D73B5ACBBA101E5A799F80EBCBB43D83890E23DED979110EEFF109C0441A",
  },
];

describe.each(examples)("the example of TR-06-2, zero state $hasZeroState", (example) => {
  const variant = { hasZeroState: example.hasZeroState, isPadded: false };
  const fixed = (value: Uint8Array) => ({
    ...portableCrypto(new SeededRandom(1)),
    randomBytes: () => value.slice(),
  });

  test("gives the verifier, B, M1 and M2", () => {
    const stored = createSrpVerifier(fixed(salt), "rist", "mainprofile", variant, group);
    expect(hex(stored.verifier)).toBe(example.verifier);
    const client = new SrpClient(fixed(secretA), "rist", "mainprofile", salt, variant, group);
    const server = new SrpServer(fixed(secretB), "rist", stored, variant, group);
    expect(hex(client.publicKey)).toBe(publicA);
    expect(hex(server.publicKey)).toBe(example.B);
    const proof = client.prove(server.publicKey)!;
    expect(hex(proof)).toBe(example.M1);
    const answer = server.prove(client.publicKey, proof)!;
    expect(hex(answer)).toBe(example.M2);
    expect(client.verify(answer)).toBe(true);
    expect(hex(client.sessionKey)).toBe(hex(server.sessionKey));
  });
});

describe("SRP", () => {
  const variant = { hasZeroState: false, isPadded: true };

  test("agrees with the native arithmetic, also with padded hashes", () => {
    const stored = createSrpVerifier(nodeCrypto, "anna", "secret", variant);
    const client = new SrpClient(portableCrypto(new SeededRandom(2)), "anna", "secret", stored.salt, variant);
    const server = new SrpServer(nodeCrypto, "anna", stored, variant);
    const answer = server.prove(client.publicKey, client.prove(server.publicKey)!);
    expect(client.verify(answer!)).toBe(true);
  });

  test("refuses keys that make the secret known: 0 and the modulus", () => {
    const crypto = portableCrypto(new SeededRandom(3));
    const stored = createSrpVerifier(crypto, "rist", "x", variant, group);
    const zero = new Uint8Array(64);
    const modulus = bytes(group.modulus.toString(16));
    const client = new SrpClient(crypto, "rist", "x", stored.salt, variant, group);
    const server = new SrpServer(crypto, "rist", stored, variant, group);
    for (const key of [zero, modulus]) {
      expect(client.prove(key)).toBeUndefined();
      expect(server.prove(key, new Uint8Array(32))).toBeUndefined();
    }
  });

  test("reads the lines of ristsrppasswd and names a broken one", () => {
    const credential = {
      ...createSrpVerifier(nodeCrypto, "anna", "secret", { hasZeroState: true }),
      version: 2,
    } as const;
    const users = parseSrpFile(`# who may call\n${formatSrpLine("anna", credential)}\n`, "users");
    expect(hex(users.find("anna", 3)?.verifier)).toBe(hex(credential.verifier));
    expect(users.find("bert", 2)).toBeUndefined();
    expect(() => parseSrpFile("anna:AAAA:AAAA:2\n", "users")).toThrow("users:1: group 2");
    expect(() => parseSrpFile("\nanna:*:AAAA:3\n", "users")).toThrow("users:2: broken base64");
  });
});

/** A sender that calls a receiver over a link that loses; returns how many packets of 100 arrive and who complained. */
function session(options: {
  readonly password: string;
  readonly secret?: string;
  readonly version?: 2 | 3;
  readonly loss?: number;
  readonly isSwapped?: boolean;
  readonly seconds?: number;
}) {
  const clock = new VirtualClock();
  const network = new VirtualNetwork(clock, 5);
  const { loss = 0, seconds = 12 } = options;
  network.addLink("link", "10.0.0.1", "10.0.0.9", { delayMs: 10, loss }, { delayMs: 10, loss });
  const payloads: Uint8Array[] = [];
  network.observe((_link, _isForward, _sent, _arrival, datagram, start, end) => {
    if (end - start > 300) payloads.push(datagram.slice(start, end));
  });
  const logs: string[] = [];
  const environment = (seed: number) => {
    const random = new SeededRandom(seed);
    return {
      clock,
      random,
      crypto: { ...portableCrypto(random), modPow: nodeCrypto.modPow! },
      hooks: { log: (_level: string, message: string) => void logs.push(message) },
      openSocket: (request: { address: string; port: number }) =>
        network.openSocket(request.address, request.port),
    };
  };
  const all = singleSrpUser(portableCrypto(new SeededRandom(9)), "anna", "secret");
  const { version } = options;
  const srpUsers = version === undefined ? all : { find: (name: string) => all.find(name, version) };
  const srp = { username: "anna", password: options.password };
  const common = { bufferMs: 200, ...(options.secret === undefined ? {} : { secret: options.secret }) };
  const [caller, waiter] = options.isSwapped ? ["receiver", "sender"] : ["sender", "receiver"];
  const credentials = (role: string) => (role === caller ? { srp } : role === waiter ? { srpUsers } : {});
  const receiver = createReceiver(
    {
      ...common,
      ...credentials("receiver"),
      listen: options.isSwapped ? "rist://10.0.0.1:7000?miface=10.0.0.9" : "rist://@10.0.0.9:7000",
    },
    environment(1),
  );
  const sender = createSender(
    {
      ...common,
      ...credentials("sender"),
      links: [
        options.isSwapped
          ? { to: "rist://@10.0.0.1:7000" }
          : { to: "rist://10.0.0.9:7000", localAddress: "10.0.0.1" },
      ],
    },
    environment(2),
  );
  let delivered = 0;
  receiver.onPacket(() => void delivered++);
  const payload = new Uint8Array(400).fill(0x55);
  for (let ms = 0; ms < 1000 * seconds; ms += 10) {
    if (ms >= 1000 * seconds - 1000) sender.send(payload);
    clock.runUntil(1000 * (ms + 10));
  }
  clock.runUntil(clock.nowUs() + 1_000_000);
  const isClear = payloads.some((datagram) => datagram.subarray(-100).every((byte) => byte === 0x55));
  const faults = receiver.stats().faults;
  sender.close();
  receiver.close();
  return { delivered, logs, isClear, faults };
}

describe("EAP-SRP between our own ends", () => {
  test.each([
    ["the sender calls", {}],
    ["the receiver calls", { isSwapped: true }],
    ["frames are lost", { loss: 0.2 }],
  ] as const)("lets the right password in, encrypts under the session key: %s", (_name, options) => {
    const { delivered, isClear } = session({ password: "secret", ...options });
    expect(delivered).toBeGreaterThanOrEqual(99);
    expect(isClear).toBe(false);
  });

  test("keeps a configured passphrase", () => {
    expect(session({ password: "secret", secret: "shared" })).toMatchObject({
      delivered: 100,
      isClear: false,
    });
  });

  test("follows a verifier of version 2, which has no session key", () => {
    expect(session({ password: "secret", version: 2 })).toMatchObject({ delivered: 100, isClear: true });
  });

  test("lets nothing pass with a wrong password, and locks after three tries", () => {
    const { delivered, logs, faults } = session({ password: "guess", seconds: 20 });
    expect(delivered).toBe(0);
    expect(faults["authentication"]).toBe(3);
    expect(logs.filter((line) => line === "authentication failed").length).toBeLessThanOrEqual(6);
  });
});
