import { openStore } from "@longwave/archive/node";
import type { Hooks } from "@longwave/base";
import { SystemClock } from "@longwave/base/node";
import { startServer } from "@longwave/server";
import {
  eventLine,
  type Impairment,
  runVirtualStation,
  type StationArchive,
  type StationCatalog,
  type StationEvent,
} from "@longwave/station";
import {
  type LiveStation,
  openLiveStation,
  openOwnCatalog,
  openStationArchive,
  ProofSigner,
  requireArchivePlace,
} from "@longwave/station/node";
import { SpeechService } from "@longwave/tts";
import { openTts } from "@longwave/tts/node";
import type { Command } from "commander";
import pc from "picocolors";
import type { Settings } from "../config.ts";
import { consoleDirectory } from "../console-directory.ts";
import { parseDurationUs } from "../duration.ts";
import { CliError } from "../errors.ts";
import { describeEvent } from "../event-text.ts";
import { openShownQueue } from "../jobs/shown-queue.ts";
import { type NamedCatalog, openNamedCatalog } from "../open-station-catalog.ts";
import { printLine } from "../output.ts";
import { addServerOptions, corsOrigins, settingsOf } from "../station-options.ts";
import { untilStopped } from "../until-stopped.ts";
import { version } from "../version.ts";

/** `longwave station`: a radio station in a box. */
export function registerStation(program: Command): void {
  const command = program
    .command("station")
    .description("Put a station on air: a programme that plays, is heard and recognised, with a web console")
    .option(
      "--input <place>",
      "play your own sound: a file, a directory, http(s)://, rist://, or - for standard input",
    )
    .option(
      "--impair <preset>",
      "put losses, delays and noise on the sound's way: demo or none (default: none with --input, else demo)",
    )
    .option("--bitrate <bps>", "bit rate of the programme's encoder (default 96000)")
    .option("--send <addresses>", "also send the programme to these RIST addresses, with commas between")
    .option("--report <directory>", "write what was heard into a CSV and a JSON file a day")
    .option("--texts <file>", "speak the lines of this file over the programme, in turn")
    .option("--every <duration>", "time between two of these lines (default 10m)")
    .option("--input-rate <hz>", "rate of raw PCM on standard input (default 48000)")
    .option("--input-channels <count>", "channels of raw 16-bit PCM on standard input (default 2)")
    .option("--seed <number>", "seed of the built-in programme (default 7)")
    .option("--songs <count>", "songs of the built-in programme (default 24)")
    .option(
      "--catalog <place>",
      "keep the catalog of recordings here: a directory or postgres://user@host/database; or search that of nats://host (default: in memory)",
    )
    .option(
      "--archive <place>",
      "record everything into this archive: a directory or s3://bucket/prefix (default: a temporary one)",
    )
    .option("--keep <duration>", "remove recordings older than this, such as 42d (default: keep all)")
    .option("--signkey <file>", "sign the proofs of exports with this Ed25519 key (PEM)")
    .option("--speech <engine>", "speech engine (default: native with a model, else formant)")
    .option("--model <directory>", "speech model for the native engine")
    .option("--voice <id>", "voice of the announcements")
    .option("--stations <count>", "run so many stations with programmes of their own (default 1)")
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
  longwave station --input https://radio.example/live --archive ./archive --keep 42d
  longwave station --config recipes/broadcast-logger.toml
  longwave station --virtual 2m --seed 7        the same event log every time, on every machine`,
    )
    .action(async (options: Record<string, unknown>) => {
      const settings = settingsOf(options);
      if (options["virtual"] !== undefined) await runVirtually(settings, options);
      else await runLive(settings, options);
    });
}

/** What a virtual run takes besides its length; `--json` changes nothing, its log is JSON lines anyway. */
const virtualOptions: ReadonlySet<string> = new Set([
  "virtual",
  "seed",
  "songs",
  "archive",
  "config",
  "json",
]);

async function runVirtually(settings: Settings, options: Record<string, unknown>): Promise<void> {
  const given = Object.keys(options).find((name) => !virtualOptions.has(name));
  const set = given ?? (settings.input.value === undefined ? undefined : "input");
  if (set !== undefined) {
    const flag = `--${set.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new CliError(
      "cli/bad-argument",
      "usage",
      `--virtual plays the built-in programme, whose log is the same everywhere, and takes --seed, --songs and --archive; leave out ${flag}, or --virtual.`,
    );
  }
  const place = settings.archive.value as string | undefined;
  if (place !== undefined) requireArchivePlace(place);
  const kept = place === undefined ? undefined : await openStore(place);
  try {
    await runVirtualStation({
      seed: settings.seed.value as number,
      songs: settings.songs.value as number,
      durationUs: parseDurationUs(String(options["virtual"])),
      ...(kept !== undefined && { archiveStore: kept.store }),
      onEvent: (event) => printLine(eventLine(event)),
    });
  } finally {
    await kept?.close();
  }
}

async function runLive(settings: Settings, options: Record<string, unknown>): Promise<void> {
  const hooks: Hooks = {
    log: (level, message) => {
      if (level === "warn" || level === "error") process.stderr.write(`longwave: ${level}: ${message}\n`);
    },
  };
  // From now on: whoever is told to stop while starting gives back what is open, too.
  let isStopped = false;
  const stopped = untilStopped().then(() => {
    isStopped = true;
  });
  const archiveDirectory = settings.archive.value as string | undefined;
  const keep = settings.keep.value as string | undefined;
  const ids = stationIds(settings);
  const signKey = settings.signkey.value as string | undefined;
  const proofSigner = signKey === undefined ? undefined : await ProofSigner.open(signKey);
  const kept = await openStationArchive({
    streams: ids,
    clock: new SystemClock(),
    ...(archiveDirectory !== undefined && { directory: archiveDirectory }),
    ...(keep !== undefined && { keepUs: parseDurationUs(keep) }),
  });
  const { away } = kept.archive.delivery ?? {};
  if (away !== undefined) {
    const message = `The archive at ${archiveDirectory} is away: ${away} Nothing is recorded until it answers; everything else goes on.`;
    hooks.log?.("warn", message);
  }
  const stations: LiveStation[] = [];
  const jobs = await openShownQueue(options["config"] as string | undefined, (message) =>
    hooks.log?.("warn", message),
  );
  let speech: SpeechService | undefined;
  let named: NamedCatalog | undefined;
  try {
    named = await openNamedCatalog(settings.catalog, (message) => hooks.log?.("warn", message));
    // One for all of them: what any of them plays can be identified and is listed.
    if (ids.length > 1) named = { catalog: await openOwnCatalog() };
    const shared = { archive: kept.archive, hooks, ...named };
    speech = await openSpeech(settings, hooks);
    for (const [i, id] of ids.entries()) {
      if (isStopped) return;
      stations.push(await openStation(id, i, settings, options, { ...shared, speech }));
    }
    if (isStopped) return;
    const server = await startServer({
      host: {
        version,
        stations: new Map(stations.map((each) => [each.station.id, each])),
        catalog: stations[0]!.catalog,
        archive: kept.archive,
        speech,
        ...(proofSigner !== undefined && { proofSigner }),
        ...(jobs !== undefined && { jobs }),
        notReady: () => stations.map((each) => each.busyWith()).find((each) => each !== undefined),
      },
      address: settings.address.value as string,
      port: settings.port.value as number,
      token: settings.token.value as string | undefined,
      corsOrigins: corsOrigins(settings),
      consoleDirectory: consoleDirectory(),
      onError: (error) => process.stderr.write(`longwave: ${(error as Error).stack}\n`),
    });
    const isJson = options["json"] === true;
    if (!isJson) {
      printLine(`${pc.bold("Longwave is on air:")} ${pc.cyan(server.url)}`);
      printLine(pc.dim(`Playing ${stations[0]!.station.status().programme}. Stop with Ctrl-C.`));
      if (kept.archive.isTemporary) {
        printLine(pc.dim("The archive is temporary; --archive DIRECTORY keeps it."));
      }
    }
    for (const { station } of stations) {
      const prefix = stations.length > 1 && !isJson ? `${station.id}  ` : "";
      const print = (event: StationEvent) =>
        printLine(prefix + (isJson ? eventLine(event) : describeEvent(event)));
      for (const event of station.log.since(-1)) print(event);
      station.log.subscribe(print);
    }
    await stopped;
    await server.close();
  } finally {
    for (const each of stations) await each.close();
    if (named !== undefined && "catalog" in named) await named.catalog.close();
    await speech?.drain(1000);
    await jobs?.close();
    await kept.close();
  }
}

/** @throws TtsError for an engine or a model that cannot be opened */
async function openSpeech(settings: Settings, hooks: Hooks): Promise<SpeechService> {
  const tts = await openTts({
    engine: settings.speech.value as string | undefined,
    model: settings.model.value as string | undefined,
    hooks,
  });
  return new SpeechService({ workers: [tts], clock: new SystemClock(), hooks });
}

/** `studio-1` to `studio-N`. @throws CliError `cli/bad-argument` */
function stationIds(settings: Settings): string[] {
  const count = settings.stations.value as number;
  if (count > 1 && (settings.input.value !== undefined || settings.catalog.value !== undefined)) {
    throw new CliError(
      "cli/bad-argument",
      "usage",
      "Several stations play the built-in programme and share a catalog in memory; leave --input and --catalog out.",
    );
  }
  return Array.from({ length: count }, (_, i) => `studio-${i + 1}`);
}

function openStation(
  id: string,
  index: number,
  settings: Settings,
  options: Record<string, unknown>,
  parts: {
    archive: StationArchive;
    speech: SpeechService;
    hooks: Hooks;
    directory?: string;
    directoryFrom?: string;
    catalog?: StationCatalog;
  },
): Promise<LiveStation> {
  const input = settings.input.value as string | undefined;
  const { directory, directoryFrom, ...others } = parts;
  const send = settings.send.value as string | undefined;
  const report = settings.report.value as string | undefined;
  const texts = settings.texts.value as string | undefined;
  return openLiveStation({
    id,
    ...others,
    seed: (settings.seed.value as number) + index,
    ...((settings.stations.value as number) > 1 && { songPrefix: `${id}-` }),
    songs: settings.songs.value as number,
    bitrateBps: settings.bitrate.value as number,
    ...(send !== undefined && { send: send.split(",").map((each) => each.trim()) }),
    ...(report !== undefined && { reportDirectory: report }),
    ...(texts !== undefined && {
      texts: { path: texts, everyMs: parseDurationUs(settings.every.value as string) / 1000 },
    }),
    ...(settings.voice.value !== undefined && { voice: settings.voice.value as string }),
    ...(input !== undefined && { input }),
    ...(settings.impair.value !== undefined && { impair: settings.impair.value as Impairment }),
    ...(directory !== undefined && { catalogDirectory: directory }),
    ...(directoryFrom !== undefined && { catalogSetting: directoryFrom }),
    ...(options["inputRate"] !== undefined && {
      inputRateHz: wholeNumber("--input-rate", options["inputRate"]),
    }),
    ...(options["inputChannels"] !== undefined && {
      inputChannels: wholeNumber("--input-channels", options["inputChannels"]),
    }),
  });
}

/** @throws CliError `cli/bad-argument` */
function wholeNumber(flag: string, text: unknown): number {
  if (/^\d{1,9}$/.test(String(text))) return Number(text);
  throw new CliError(
    "cli/bad-argument",
    "usage",
    `${flag} must be a whole number, not ${JSON.stringify(text)}.`,
  );
}
