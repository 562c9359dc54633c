import type { Command } from "commander";
import { resolveSettings, type Settings } from "./config.ts";
import { ConfigError } from "./errors.ts";

/** The options of everything that listens on a port. */
export function addServerOptions(command: Command): Command {
  return command
    .option("--address <address>", "address to listen on (default 127.0.0.1)")
    .option("--port <number>", "TCP port, 0 for any free one (default 7373)")
    .option("--token <token>", "bearer token, at least 16 characters; needed off loopback")
    .option("--cors <origins>", "origins of other pages that may call, with commas between")
    .option(
      "--config <file>",
      "configuration file: TOML, YAML or JSON (default longwave.toml, if there is one)",
    );
}

/** The settings of a command's options. @throws ConfigError */
export function settingsOf(options: Readonly<Record<string, unknown>>): Settings {
  return resolveSettings(options, process.env, options["config"] as string | undefined);
}

/** The origins of `--cors`. @throws ConfigError `config/bad-value` for what is no origin */
export function corsOrigins({ cors }: Settings): string[] {
  const origins = ((cors.value as string | undefined) ?? "").split(",").map((each) => each.trim());
  return origins.filter((each) => {
    if (each === "" || (URL.canParse(each) && new URL(each).origin === each)) return each !== "";
    throw new ConfigError(
      "config/bad-value",
      "usage",
      `${JSON.stringify(each)} (${cors.from}) is no origin: write scheme, host and port alone, such as https://radio.example.`,
    );
  });
}
