import { startServer } from "@longwave/server";
import { eventLine, runVirtualStation, type StationEvent } from "@longwave/station";
import { openLiveStation } from "@longwave/station/node";
import type { Command } from "commander";
import pc from "picocolors";
import type { Settings } from "../config.ts";
import { consoleDirectory } from "../console-directory.ts";
import { parseDurationUs } from "../duration.ts";
import { describeEvent } from "../event-text.ts";
import { printLine } from "../output.ts";
import { addServerOptions, settingsOf } from "../station-options.ts";
import { untilStopped } from "../until-stopped.ts";
import { version } from "../version.ts";

/** `longwave station`: a radio station in a box. */
export function registerStation(program: Command): void {
  const command = program
    .command("station")
    .description("Put a station on air: a programme that plays, is heard and recognised, with a web console")
    .option("--input <path>", "play your own sound: a file, a directory, or - for standard input")
    .option("--input-rate <hz>", "rate of raw PCM on standard input (default 48000)")
    .option("--input-channels <count>", "channels of raw 16-bit PCM on standard input (default 2)")
    .option("--seed <number>", "seed of the built-in programme (default 7)")
    .option("--songs <count>", "songs of the built-in programme (default 24)")
    .option("--catalog <directory>", "keep the catalog of recordings here (default: in memory)")
    .option("--virtual <duration>", "run in virtual time, without sockets, and print the event log")
    .option("--json", "print events as JSON lines");
  addServerOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  longwave station                              the built-in programme, console on http://127.0.0.1:7373/
  longwave station --input ~/Music              your own files
  arecord -f dat | longwave station --input -   a microphone, live
  longwave station --virtual 2m --seed 7        the same event log every time, on every machine`,
    )
    .action(async (options: Record<string, unknown>) => {
      const settings = settingsOf(options);
      if (options["virtual"] !== undefined) await runVirtually(settings, String(options["virtual"]));
      else await runLive(settings, options);
    });
}

async function runVirtually(settings: Settings, duration: string): Promise<void> {
  await runVirtualStation({
    seed: settings.seed.value as number,
    songs: settings.songs.value as number,
    durationUs: parseDurationUs(duration),
    onEvent: (event) => printLine(eventLine(event)),
  });
}

async function runLive(settings: Settings, options: Record<string, unknown>): Promise<void> {
  const input = settings.input.value as string | undefined;
  const catalogDirectory = settings.catalog.value as string | undefined;
  const live = await openLiveStation({
    seed: settings.seed.value as number,
    songs: settings.songs.value as number,
    ...(input !== undefined && { input }),
    ...(catalogDirectory !== undefined && { catalogDirectory }),
    ...(options["inputRate"] !== undefined && { inputRateHz: Number(options["inputRate"]) }),
    ...(options["inputChannels"] !== undefined && { inputChannels: Number(options["inputChannels"]) }),
    hooks: { log: (level, message) => process.stderr.write(`longwave: ${level}: ${message}\n`) },
  });
  try {
    const token = settings.token.value as string | undefined;
    const server = await startServer({
      host: {
        version,
        stations: new Map([[live.station.id, live]]),
        catalog: live.catalog,
        notReady: live.busyWith,
      },
      address: settings.address.value as string,
      port: settings.port.value as number,
      token,
      consoleDirectory: consoleDirectory(),
      onError: (error) => process.stderr.write(`longwave: ${(error as Error).stack}\n`),
    });
    const say = options["json"] === true ? eventLine : describeEvent;
    if (options["json"] !== true) {
      printLine(`${pc.bold("Longwave is on air:")} ${pc.cyan(server.url)}`);
      printLine(pc.dim(`Playing ${live.station.status().programme}. Stop with Ctrl-C.`));
    }
    const print = (event: StationEvent) => printLine(say(event));
    for (const event of live.station.log.since(-1)) print(event);
    live.station.log.subscribe(print);
    await untilStopped();
    await server.close();
  } finally {
    await live.close();
  }
}
