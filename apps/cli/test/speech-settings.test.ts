import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { speechFindings } from "../src/speech/doctor.ts";
import { openOptions, resolveSpeechSettings } from "../src/speech/speech-settings.ts";

const folder = mkdtempSync(join(tmpdir(), "longwave-tts-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(content: string): string {
  const path = join(folder, "longwave.toml");
  writeFileSync(path, content);
  return path;
}

describe("the settings of speech", () => {
  test("come from the flag, then the environment, then the file, then the default", () => {
    const path = file(
      'port = 1\n[tts]\nvoice = "file"\nprecision = "bf16"\nworkers = 3\nvoiceUrlHosts = "a.example"',
    );
    const environment = { LONGWAVE_TTS_VOICE: "env", POCKETTTS_MODEL: "m", LONGWAVE_TTS_CLONING: "1" };
    const settings = resolveSpeechSettings({ voice: "flag" }, environment, path);
    expect(settings.voice).toEqual({ value: "flag", origin: "flag", from: "--voice" });
    expect(settings.model).toEqual({ value: "m", origin: "environment", from: "POCKETTTS_MODEL" });
    expect(settings.precision).toEqual({ value: "bf16", origin: "file", from: path });
    expect(settings.threads).toEqual({ value: 2, origin: "default", from: "default" });
    expect(resolveSpeechSettings({}, environment, path).voice.value).toBe("env");
    expect(openOptions(settings)).toMatchObject({
      voice: "flag",
      model: "m",
      precision: "bf16",
      cloning: true,
    });
  });

  test.each([
    ["requestTimeout", "0s"],
    ["requestTimeout", "30d"],
    ["shutdownTimeout", "25h"],
    ["maxTextBytes", 0],
    ["commandRate", 0],
    ["threads", 3],
  ])("%s of %s is refused", (name, value) => {
    expect(() => resolveSpeechSettings({ [name]: value }, {})).toThrow(
      expect.objectContaining({ code: "config/bad-value", message: expect.stringContaining(name) }),
    );
  });

  test.each([
    ["tts.yaml", "# sample\nport: 1\ntts:\n  voice: file\n  workers: 3\n  cloning: true\n"],
    ["tts.yml", "port: 1\ntts:\n  voice: 'file'\n  workers: 3\n  cloning: true\n"],
    ["tts.json", '{"port": 1, "tts": {"voice": "file", "workers": 3, "cloning": true}}'],
    ["tts.toml", 'port = 1\n[tts]\nvoice = "file"\nworkers = 3\ncloning = true'],
  ])("are the same in %s", (name, content) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    const settings = resolveSpeechSettings({}, {}, path);
    expect(settings.voice).toEqual({ value: "file", origin: "file", from: path });
    expect([settings.workers.value, settings.cloning.value]).toEqual([3, true]);
  });

  test.each([
    ["a.yaml", "tts:\n  voice: &anchor x\n", "config/malformed"],
    ["b.yaml", "tts:\n  speed: 2\n", "config/unknown-key"],
    ["c.json", "{", "config/malformed"],
    ["d.json", "[]", "config/malformed"],
    ["e.json", '{"tts": {"speed": 2}}', "config/unknown-key"],
    ["f.json", '{"nonsense": 2}', "config/unknown-key"],
  ])("%s holding %j is refused", (name, content, code) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    expect(() => resolveSpeechSettings({}, {}, path)).toThrow(expect.objectContaining({ code }));
  });

  test.each([
    ["[tts]\nspeed = 2", {}, "config/unknown-key"],
    ["tts = 5", {}, "config/bad-value"],
    ['[tts]\nworkers = "many"', {}, "config/bad-value"],
    ['[tts]\nprecision = "f64"', {}, "config/bad-value"],
    ["[tts]\nthreads = 3", {}, "config/bad-value"],
    ["", { LONGWAVE_TTS_ENGINE: "nobody" }, "config/bad-value"],
    ["", { LONGWAVE_TTS_CLONING: "perhaps" }, "config/bad-value"],
    ["", { LONGWAVE_TTS_REQUEST_TIMEOUT: "soon" }, undefined],
  ])("%j with %j is refused", (content, environment, code) => {
    const wanted = code === undefined ? expect.anything() : expect.objectContaining({ code });
    expect(() => resolveSpeechSettings({}, environment, file(content))).toThrow(wanted);
  });
});

describe("doctor", () => {
  const settings = (flags: Record<string, unknown>) => resolveSpeechSettings(flags, {}, file(""));
  const states = (findings: Awaited<ReturnType<typeof speechFindings>>) =>
    Object.fromEntries(findings.map(({ name, state }) => [name, state]));

  test("takes what is not installed and not wanted as notes", async () => {
    const found = states(await speechFindings(settings({})));
    expect(found).toMatchObject({ "speech: formant": "good", "speech: native": "note" });
    expect(Object.values(found)).not.toContain("bad");
  });

  test("passes a reference program that runs, with a Python that it takes", async () => {
    const run = (command: string) => ({
      status: 0,
      stdout: command === "python3" ? "Python 3.11.2" : "pocket-tts 2.1.0",
    });
    const found = states(
      await speechFindings(settings({ engine: "pocket-tts", executable: process.execPath }), run),
    );
    expect(found).toMatchObject({
      "speech: pocket-tts": "good",
      "speech: pocket-tts runs": "good",
      "speech: Python": "good",
    });
  });

  test("fails for one that does not run, an old Python, and a model that is not there", async () => {
    const run = (command: string) => ({ status: 1, stdout: command === "python3" ? "Python 3.9.1" : "" });
    const flags = { engine: "pocket-tts", executable: join(folder, "none"), model: join(folder, "none") };
    expect(states(await speechFindings(settings(flags), run))).toMatchObject({
      "speech: pocket-tts": "bad",
      "speech: pocket-tts runs": "bad",
      "speech: Python": "bad",
      "speech model: configuration": "bad",
    });
    expect(states(await speechFindings(settings({ engine: "native" })))["speech: native"]).toBe("bad");
  });
});
