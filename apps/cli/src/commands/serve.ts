import { startServer } from "@longwave/server";
import type { StationCatalog } from "@longwave/station";
import { engineNames } from "@longwave/tts/node";
import { type Command, Option } from "commander";
import pc from "picocolors";
import { consoleDirectory } from "../console-directory.ts";
import { CliError } from "../errors.ts";
import { openShownQueue } from "../jobs/shown-queue.ts";
import { openServedCatalog } from "../open-station-catalog.ts";
import { printLine } from "../output.ts";
import { openSpeechService } from "../speech/speech-service.ts";
import { durationMs, resolveSpeechSettings } from "../speech/speech-settings.ts";
import { addServerOptions, corsOrigins, settingsOf } from "../station-options.ts";
import { untilStopped } from "../until-stopped.ts";
import { version } from "../version.ts";

/** `longwave serve`: the HTTP API without a station: speech, and a catalog where one is named. */
export function registerServe(program: Command): void {
  const command = program
    .command("serve")
    .description("Serve over HTTP: speak texts; identify clips and list recordings where a catalog is named")
    .option("--listen <host:port>", "address and port in one; :8080 is port 8080 of this machine alone")
    .option("--catalog <place>", "directory of the catalog, postgres://user@host/database or nats://host")
    .option("--json", "print the address as JSON")
    .addOption(new Option("--engine <name>", "engine that must speak").choices(engineNames))
    .option("--model <directory>", "folder of a speech model")
    .option("--voices <file>", "manifest of the voices; default the model's own")
    .option("--voice <id>", "voice where a request names none")
    .option("--precision <name>", "weights of the native engine: auto, f32, bf16, int8")
    .option("--threads <n>", "threads of one speaking model, 1 or 2")
    .option("--executable <path>", "path of an external speech program")
    .option("--ort-lib <directory>", "an installed ONNX Runtime, for the engine onnx")
    .option("--command <line>", "a program that reads text on stdin and writes a WAV; {voice} is replaced")
    .option("--command-rate <hz>", "rate of that WAV; default 24000")
    .option("--cloning", "let requests bring a recording to speak like")
    .option("--voice-url-hosts <hosts>", "hosts that voice_url may name, with commas")
    .option("--workers <n>", "texts that are spoken side by side")
    .option("--max-text-bytes <n>", "longest text")
    .option("--request-timeout <time>", "longest time for one text")
    .option("--shutdown-timeout <time>", "longest wait for texts under way when stopping")
    .option("--metrics-addr <host:port>", "serve /metrics on an address of its own as well")
    .option("--log-level <level>", "debug, info, warn, error");
  addServerOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  longwave serve --listen :8080 --workers 4
  longwave serve --catalog ./catalog
  curl -d '{"text":"Good evening."}' -H 'content-type: application/json' http://127.0.0.1:7373/tts -o a.wav
  curl --data-binary @clip.wav http://127.0.0.1:7373/v1/identify`,
    )
    .action(async (options: Record<string, unknown>) => {
      const stopped = untilStopped();
      const flags = { ...options, ...listenAddress(options["listen"] as string | undefined) };
      const settings = settingsOf(flags);
      const speechSettings = resolveSpeechSettings(
        flags,
        process.env,
        options["config"] as string | undefined,
      );
      const warn = (message: string) => void process.stderr.write(`longwave: warn: ${message}\n`);
      const catalog = await openServedCatalog(settings.catalog, warn);
      const speech = await openSpeechService(speechSettings);
      const jobs = await openShownQueue(options["config"] as string | undefined, warn);
      const server = await startServer({
        host: {
          version,
          stations: new Map(),
          ...(catalog === undefined ? {} : { catalog }),
          speech: speech.service,
          ...(jobs === undefined ? {} : { jobs }),
          voiceUrlHosts: hostList(speechSettings.voiceUrlHosts.value as string | undefined),
          notReady: () => undefined,
        },
        address: settings.address.value as string,
        port: settings.port.value as number,
        token: settings.token.value as string | undefined,
        corsOrigins: corsOrigins(settings),
        metricsListen: metricsAddress(speechSettings.metricsAddr.value as string | undefined),
        consoleDirectory: consoleDirectory(),
        onError: (error) => process.stderr.write(`longwave: ${(error as Error).stack}\n`),
      }).catch(async (error: unknown) => {
        // The threads of the engines would keep the process alive.
        await speech.service.drain(0);
        await jobs?.close();
        await catalog?.close();
        throw error;
      });
      const { url, metricsUrl } = server;
      if (options["json"] === true) {
        const tracks = (await sizeOf(catalog)) ?? null;
        printLine(JSON.stringify({ url, metricsUrl, tracks, engines: speech.engines }));
      } else {
        const tracks = await sizeOf(catalog);
        const recordings = tracks === undefined ? "" : ` and ${tracks} recordings`;
        printLine(
          `${pc.bold("Serving")} speech (${speech.engines.join(", ")})${recordings} on ${pc.cyan(url)}. Stop with Ctrl-C.`,
        );
        if (metricsUrl !== undefined) printLine(`Metrics on ${pc.cyan(metricsUrl)}`);
      }
      await stopped;
      const graceMs = durationMs(speechSettings.shutdownTimeout);
      // New texts are refused while those under way are spoken to their end.
      const drained = speech.service.drain(graceMs);
      await server.close(graceMs);
      await drained;
      await jobs?.close();
      await catalog?.close();
    });
}

/** Number of recordings, where the catalog is there and says it. */
async function sizeOf(catalog: StationCatalog | undefined): Promise<number | undefined> {
  return catalog?.page(0, 1).then(
    ({ total }) => total,
    () => undefined,
  );
}

function hostList(hosts: string | undefined): string[] {
  return (hosts ?? "")
    .split(",")
    .map((host) => host.trim())
    .filter((host) => host !== "");
}

/** `[HOST]:PORT` of --listen as the settings `address` and `port`. */
function listenAddress(listen: string | undefined): { address?: string; port?: string } {
  if (listen === undefined) return {};
  const { address, port } = hostAndPort(listen, "--listen");
  return { port, ...(address === "" ? {} : { address }) };
}

/** Without a host: this machine alone. */
function metricsAddress(text: string | undefined): { address: string; port: number } | undefined {
  if (text === undefined) return undefined;
  const { address, port } = hostAndPort(text, "--metrics-addr");
  return { address: address === "" ? "127.0.0.1" : address, port: Number(port) };
}

function hostAndPort(text: string, option: string): { address: string; port: string } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  if (match === null) {
    throw new CliError("cli/bad-argument", "usage", `${option} ${text} is not of the form [HOST]:PORT.`);
  }
  return { address: match[1] ?? match[2] ?? "", port: match[3]! };
}
