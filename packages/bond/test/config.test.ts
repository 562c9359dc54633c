import { loadConfig, receiverOptionsOf, senderOptionsOf } from "@longwave/bond";
import { describe, expect, test } from "vitest";

describe("the configuration", () => {
  test("is all defaults where the file is empty", () => {
    const config = loadConfig("", "empty.toml");
    expect(senderOptionsOf(config)).toMatchObject({
      profile: "main",
      bufferMs: 1000,
      payloadType: 33,
      links: [],
    });
    expect(receiverOptionsOf(config)).toMatchObject({
      minBufferMs: 400,
      maxBufferMs: 1500,
      nackCopies: "auto",
    });
  });

  test.each([
    [
      '[rist]\nprofile = "advanced"\n',
      'bonding.toml:2: rist.profile is "advanced"; allowed is one of main, simple.',
    ],
    ["[rist]\n\naes_bits = 192\n", "bonding.toml:3: rist.aes_bits is 192; allowed is 128 or 256."],
    [
      "[arq]\ntarget_residual = 2\n",
      "bonding.toml:2: arq.target_residual is 2; allowed is a number from 0 to 1.",
    ],
    ["[arq]\nfoo = 2\n", "bonding.toml:2: arq.foo is an unknown key; allowed is one of"],
    ["nonsense = 1\n", "bonding.toml:1: nonsense is an unknown key"],
    ['[[links]]\nuri = "rist://a:1"\n[[links]]\nweight = 3\n', "bonding.toml:3: links[1].uri is missing"],
    [
      '[[links]]\nuri = "rist://a:1"\n[[links]]\nuri = "rist://a:1"\nweight = 3000\n',
      "bonding.toml:5: links[1].weight is 3000",
    ],
    ["version = [\n", "bonding.toml:"],
    ['[[links]]\nuri = "http://a:1"\n', 'bonding.toml:2: links[0].uri: "http://a:1" is no RIST address'],
    [
      '[rist]\nprofile = "simple"\n[receiver]\nlisten = "rist://@0.0.0.0:7001"\n',
      "bonding.toml:4: receiver.listen is an odd port; allowed is an even one in the Simple profile.",
    ],
    [
      "[receiver]\nmin_latency_ms = 900\nmax_latency_ms = 500\n",
      "bonding.toml:2: receiver.min_latency_ms is 900; allowed is at most receiver.max_latency_ms, which is 500.",
    ],
  ])("names file, line, key and what is allowed: %j", (text, message) => {
    expect(() => loadConfig(text, "bonding.toml")).toThrow(message);
    expect(() => loadConfig(text, "bonding.toml")).toThrow(
      expect.objectContaining({ code: "bond/bad-config" }),
    );
  });

  test("refuses a newer version", () => {
    expect(() => loadConfig("version = 2\n", "f")).toThrow(
      expect.objectContaining({ kind: expect.stringMatching(/usage|unsupported/) }),
    );
  });

  test("migrates version 0 and says so", () => {
    const text = `version = 0\n[[links]]\nuri = "rist://10.0.0.1:7000"\nrecovery_maxbitrate = 5000\nrecovery_rtt_max = 700\nrecovery_reorder_buffer = 15\n`;
    const config = loadConfig(text, "old.toml");
    expect(config.warnings).toHaveLength(4);
    const options = senderOptionsOf(config);
    expect(options.links[0]).toMatchObject({ maxBitrateBps: 5_000_000 });
    expect(options.lifecycle).toMatchObject({ maxRttMs: 700 });
  });
});
