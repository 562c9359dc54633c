import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runHere } from "./run-here.ts";

const folder = mkdtempSync(join(tmpdir(), "longwave-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = join(folder, "longwave.toml");
const check = async (toml: string, ...more: string[]) => {
  writeFileSync(file, toml);
  return await runHere(["config", "check", "--config", file, ...more]);
};

// What a station would refuse, and the setting that the complaint must name.
test.each([
  ["port = 99999", "port"],
  ["port = -1", "port"],
  ["stations = 0", "stations"],
  ["songs = 0", "songs"],
  ["seed = -5", "seed"],
  ["bitrate = 1", "bitrate"],
  ['keep = "42x"', "keep"],
  ['keep = "0s"', "keep"],
  ['every = "0s"', "every"],
  ['speech = "whisper"', "speech"],
  ['token = "short"', "address"],
  ['address = "0.0.0.0"', "address"],
  ['cors = "https://radio.example/page"', "cors"],
  ['input = "/nowhere/song.wav"', "input"],
  ['catalog = "redis://127.0.0.1"', "catalog"],
  ['archive = "redis://127.0.0.1"', "archive"],
  ['archive = "s3://"', "archive"],
  ['send = "http://127.0.0.1:5000"', "send"],
  ['texts = "/nowhere/texts.txt"', "texts"],
  ['signkey = "/nowhere/key.pem"', "signkey"],
])("config check refuses %s", async (line, setting) => {
  const { code, stdout, stderr } = await check(line);
  expect({ code, names: `${stdout}${stderr}`.includes(setting) }).toEqual({ code: 2, names: true });
  expect(stdout).not.toContain("The configuration is good");
});

test("config check tells every problem at once, as JSON too, and touches nothing", async () => {
  const toml = 'input = "/nowhere"\ncatalog = "redis://u:secret@h"\narchive = "new-archive"\n';
  const { code, stdout } = await check(toml, "--json");
  expect(code).toBe(2);
  const { ok, problems } = JSON.parse(stdout) as { ok: boolean; problems: { setting: string }[] };
  expect(ok).toBe(false);
  expect(problems.map(({ setting }) => setting)).toEqual(["input", "catalog"]);
  expect(stdout).not.toContain("secret");
  expect(readdirSync(folder)).toEqual(["longwave.toml"]);
});

test("config check takes what a station takes", async () => {
  const toml = `input = ${JSON.stringify(folder)}\nkeep = "42d"\narchive = "s3://bucket/prefix"\ncatalog = "postgres://h/d"
send = "rist://127.0.0.1:5000, rist://127.0.0.1:5002"\naddress = "0.0.0.0"\ntoken = "0123456789abcdef"\n`;
  const { code, stdout } = await check(toml);
  expect(stdout).toContain("The configuration is good.");
  expect(code).toBe(0);
});
