import type { Command } from "commander";
import { resolveSettings, type Settings } from "./config.ts";

/** The options of everything that listens on a port. */
export function addServerOptions(command: Command): Command {
  return command
    .option("--address <address>", "address to listen on (default 127.0.0.1)")
    .option("--port <number>", "TCP port, 0 for any free one (default 7373)")
    .option("--token <token>", "bearer token, at least 16 characters; needed off loopback")
    .option(
      "--config <file>",
      "configuration file: TOML, YAML or JSON (default longwave.toml, if there is one)",
    );
}

/** The settings of a command's options. @throws ConfigError */
export function settingsOf(options: Readonly<Record<string, unknown>>): Settings {
  return resolveSettings(options, process.env, options["config"] as string | undefined);
}
