import { DirectoryStore } from "@longwave/base/node";
import { Catalog } from "@longwave/catalog";
import { startServer } from "@longwave/server";
import type { Command } from "commander";
import pc from "picocolors";
import { consoleDirectory } from "../console-directory.ts";
import { CliError } from "../errors.ts";
import { printLine } from "../output.ts";
import { addServerOptions, settingsOf } from "../station-options.ts";
import { untilStopped } from "../until-stopped.ts";
import { version } from "../version.ts";

/** `longwave serve`: the HTTP API over a catalog, without a station. */
export function registerServe(program: Command): void {
  const command = program
    .command("serve")
    .description("Serve a catalog over HTTP: identify clips, list and enroll recordings")
    .option("--catalog <directory>", "directory of the catalog")
    .option("--json", "print the address as JSON");
  addServerOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  longwave serve --catalog ./catalog
  curl --data-binary @clip.wav http://127.0.0.1:7373/v1/identify`,
    )
    .action(async (options: Record<string, unknown>) => {
      const settings = settingsOf(options);
      const directory = settings.catalog.value as string | undefined;
      if (directory === undefined) {
        throw new CliError(
          "cli/bad-argument",
          "usage",
          "Name the catalog to serve with --catalog DIRECTORY.",
        );
      }
      const catalog = await Catalog.open(new DirectoryStore(directory));
      const server = await startServer({
        host: { version, stations: new Map(), catalog, notReady: () => undefined },
        address: settings.address.value as string,
        port: settings.port.value as number,
        token: settings.token.value as string | undefined,
        consoleDirectory: consoleDirectory(),
        onError: (error) => process.stderr.write(`longwave: ${(error as Error).stack}\n`),
      });
      if (options["json"] === true) printLine(JSON.stringify({ url: server.url, tracks: catalog.size }));
      else
        printLine(
          `${pc.bold("Serving")} ${catalog.size} recordings on ${pc.cyan(server.url)}. Stop with Ctrl-C.`,
        );
      await untilStopped();
      await server.close();
      await catalog.close();
    });
}
