import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { freemem } from "node:os";
import { createStream } from "@longwave/fingerprint";
import type { Command } from "commander";
import pc from "picocolors";
import { checkSettings } from "../check-settings.ts";
import type { Settings } from "../config.ts";
import { consoleDirectory } from "../console-directory.ts";
import type { Finding } from "../doctor/finding.ts";
import { archiveFinding, catalogFinding, jobsFinding } from "../doctor/services.ts";
import { CliError } from "../errors.ts";
import { resolveJobsSettings } from "../jobs/jobs-settings.ts";
import { printResult } from "../output.ts";
import { speechFindings } from "../speech/doctor.ts";
import { resolveSpeechSettings } from "../speech/speech-settings.ts";
import { addServerOptions, settingsOf } from "../station-options.ts";

/** `longwave doctor`: can this machine run everything, and what is missing for which feature. */
export function registerDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .description("Check this machine and the configuration (exit code 5 if something is broken)")
    .option("--catalog <place>", "also check this catalog")
    .option("--archive <place>", "also check this archive")
    .option("--model <directory>", "also check this speech model")
    .option("--engine <name>", "also check this speech engine, as the one that must speak")
    .option("--json", "print one JSON object");
  addServerOptions(command).action(async (options: Record<string, unknown>) => {
    const settings = settingsOf(options);
    const speech = resolveSpeechSettings(options, process.env, options["config"] as string | undefined);
    const jobs = resolveJobsSettings({}, process.env, options["config"] as string | undefined);
    const findings = [
      node(),
      cores(),
      memory(),
      ffmpeg(),
      webConsole(),
      await port(settings.address.value as string, settings.port.value as number),
      ...(await settingFindings(settings)),
      ...(settings.catalog.value === undefined
        ? []
        : [await catalogFinding(settings.catalog.value as string)]),
      ...(settings.archive.value === undefined
        ? []
        : [await archiveFinding(settings.archive.value as string)]),
      ...(jobs.url.value === undefined ? [] : [await jobsFinding(jobs)]),
      ...(await speechFindings(speech)),
    ];
    printResult(options["json"] === true, { findings }, () => findings.map(line));
    const broken = findings.filter((finding) => finding.state === "bad");
    if (broken.length > 0) {
      const names = broken.map((finding) => finding.name).join(", ");
      throw new CliError("cli/check-failed", "unavailable", `Needs attention: ${names}.`);
    }
  });
}

/** The settings that a station would refuse; catalog, archive and model are looked at themselves. */
async function settingFindings(settings: Settings): Promise<Finding[]> {
  const problems = await checkSettings(settings);
  return problems
    .filter(({ setting }) => !["catalog", "archive", "model"].includes(setting))
    .map(({ setting, says }) => ({ name: setting, state: "bad", says }));
}

function line({ name, state, says }: Finding): string {
  const mark = { good: pc.green("good"), note: pc.yellow("note"), bad: pc.red("bad ") }[state];
  return `${mark}  ${name.padEnd(24)} ${says}`;
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const good = major > 20 || (major === 20 && minor >= 19);
  const says = `Node ${process.versions.node}${good ? "" : "; install 20.19 or later"}`;
  return { name: "node", state: good ? "good" : "bad", says };
}

/** Runs a core, as every command would. */
function cores(): Finding {
  try {
    createStream("wang-v1").push(new Float32Array(8000), () => {});
    return { name: "wasm", state: "good", says: "WebAssembly with SIMD works" };
  } catch (error) {
    return { name: "wasm", state: "bad", says: (error as Error).message };
  }
}

function memory(): Finding {
  const free = Math.round(freemem() / 2 ** 20);
  return {
    name: "memory",
    state: free < 400 ? "note" : "good",
    says: `${free} MB free; a station takes up to 400 MB`,
  };
}

function ffmpeg(): Finding {
  const run = spawnSync("ffmpeg", ["-hide_banner", "-version"], { encoding: "utf8", timeout: 5000 });
  const version = /^ffmpeg version (\S+)/.exec(run.stdout ?? "")?.[1];
  return version === undefined
    ? {
        name: "ffmpeg",
        state: "note",
        says: "not found; WAV, MP3, FLAC and Ogg Vorbis are read without it, AAC and others are not",
      }
    : { name: "ffmpeg", state: "good", says: `${version}, for formats that we do not read ourselves` };
}

function webConsole(): Finding {
  return consoleDirectory() === undefined
    ? { name: "console", state: "note", says: "not built; npm run build makes it, the API works without" }
    : { name: "console", state: "good", says: "built" };
}

function port(address: string, number: number): Promise<Finding> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reason = error.code === "EADDRINUSE" ? "is in use; choose another with --port" : error.message;
      resolve({ name: "port", state: "bad", says: `${address}:${number} ${reason}` });
    });
    server.listen(number, address, () => {
      server.close(() => resolve({ name: "port", state: "good", says: `${address}:${number} is free` }));
    });
  });
}
