import { readFileSync } from "node:fs";
import { systemErrorKind, systemReason } from "@longwave/base/node";
import type { Command } from "commander";
import pc from "picocolors";
import { checkSettings } from "../check-settings.ts";
import { type Definition, defaultConfigFile, type Setting, settingDefinitions } from "../config.ts";
import { ConfigError } from "../errors.ts";
import { jobBackendOf, jobsDefinitions, leaseSecondsOf, resolveJobsSettings } from "../jobs/jobs-settings.ts";
import { migrateConfig } from "../migrate-config.ts";
import { printResult } from "../output.ts";
import { replaceFile } from "../replace-file.ts";
import { resolveSpeechSettings, speechDefinitions } from "../speech/speech-settings.ts";
import { settingsOf } from "../station-options.ts";

/** `longwave config`: which settings are in force, and where they come from. */
export function registerConfig(program: Command): void {
  const config = program
    .command("config")
    .description("Show and check the configuration (flag, LONGWAVE_* environment, longwave.toml, default)");
  config
    .command("show")
    .description("Print the settings in force")
    .option("--origin", "also say where each value comes from")
    .option(
      "--config <file>",
      "configuration file: TOML, YAML or JSON (default longwave.toml, if there is one)",
    )
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExample:\n  LONGWAVE_PORT=8080 longwave config show --origin")
    .action((options: Record<string, unknown>) => {
      const settings = settingsOf(options);
      const file = options["config"] as string | undefined;
      const tts = resolveSpeechSettings({}, process.env, file);
      const jobs = resolveJobsSettings({}, process.env, file);
      const origin = options["origin"] === true;
      const object = {
        ...asObject(settings, settingDefinitions, origin),
        tts: asObject(tts, speechDefinitions, origin),
        jobs: asObject(jobs, jobsDefinitions, origin),
      };
      printResult(options["json"] === true, object, () => [
        ...asLines(settings, settingDefinitions, origin),
        ...asLines(tts, speechDefinitions, origin, "tts."),
        ...asLines(jobs, jobsDefinitions, origin, "jobs."),
      ]);
    });
  config
    .command("check")
    .description("Check the configuration without starting anything")
    .option(
      "--config <file>",
      "configuration file: TOML, YAML or JSON (default longwave.toml, if there is one)",
    )
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nExamples:\n  longwave config check\n  longwave config check --config recipes/broadcast-logger.toml --json",
    )
    .action(async (options: Record<string, unknown>) => {
      const problems = await checkSettings(settingsOf(options));
      const file = options["config"] as string | undefined;
      resolveSpeechSettings({}, process.env, file);
      const jobs = resolveJobsSettings({}, process.env, file);
      if (jobs.url.value !== undefined) jobBackendOf(jobs);
      leaseSecondsOf(jobs);
      const isGood = problems.length === 0;
      printResult(options["json"] === true, { ok: isGood, problems }, () =>
        isGood ? ["The configuration is good."] : problems.map(({ setting, says }) => `${setting}: ${says}`),
      );
      if (isGood) return;
      const names = problems.map(({ setting }) => setting).join(", ");
      throw new ConfigError("config/bad-value", "usage", `Needs to be changed: ${names}.`);
    });
  config
    .command("migrate")
    .description("Bring an older configuration file up to date, comments kept; the old one stays beside it")
    .argument("[file]", "the file", defaultConfigFile)
    .option("--json", "print one JSON object")
    .action(async (file: string, options: Record<string, unknown>) => {
      const old = readText(file);
      const migrated = migrateConfig(old, file);
      const changed = migrated !== old;
      if (changed) {
        await replaceFile(`${file}.old`, old);
        await replaceFile(file, migrated);
      }
      printResult(options["json"] === true, { file, changed }, () => [
        changed ? `${file} was brought up to date; the old one is ${file}.old.` : `${file} is up to date.`,
      ]);
    });
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new ConfigError(
      "config/unreadable",
      systemErrorKind(cause),
      `Cannot read ${file}: ${systemReason(cause)}.`,
      {
        cause,
      },
    );
  }
}

type Definitions = Readonly<Record<string, Definition>>;

function shown({ kind }: Definition, { value }: Setting): string | number | boolean | null {
  if (value === undefined) return null;
  if (kind === "secret") return "(hidden)";
  // A place may be an address that somebody logs in at.
  return typeof value === "string"
    ? value.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/@]*?):[^/@]*@/i, "$1:(hidden)@")
    : value;
}

function asObject(
  settings: Readonly<Record<string, Setting>>,
  definitions: Definitions,
  origin: boolean,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, setting]) => {
      const value = shown(definitions[name]!, setting);
      return [name, origin ? { value, origin: setting.origin, from: setting.from } : value];
    }),
  );
}

function asLines(
  settings: Readonly<Record<string, Setting>>,
  definitions: Definitions,
  origin: boolean,
  prefix = "",
): string[] {
  return Object.entries(settings).map(([name, setting]) =>
    settingLine(prefix + name, shown(definitions[name]!, setting) ?? undefined, setting, origin),
  );
}

function settingLine(name: string, value: Setting["value"], setting: Setting, origin: boolean): string {
  const text = value ?? pc.dim("(not set)");
  return `${name.padEnd(20)} ${text}${origin ? pc.dim(`  from ${setting.from}`) : ""}`;
}
