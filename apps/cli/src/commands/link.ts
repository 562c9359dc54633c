import { type Command, InvalidArgumentError } from "commander";

/** `longwave link`: one stream over many bad links, by RIST. Each command loads what it uses when it runs. */
export function registerLink(program: Command): void {
  const link = program.command("link").description("carry a stream over many bad links at once (RIST)");

  link
    .command("send")
    .description("send a stream over all links")
    .option("--source <source>", "udp://[host]:port, rtp://[host]:port, a file, - or test", "test")
    .option("--dest <addresses>", "rist://host:port[?buffer=&weight=&secret=...], several joined by commas")
    .option("--bitrate <bps>", "rate of a file or of the test stream, such as 2M", bitrate, 2_000_000)
    .option("--gather <ms>", "handle packets of a UDP source that come within this time together", gather, 5)
    .option("--profile <profile>", "main or simple")
    .option("--buffer <ms>", "how long packets are kept for repeats", milliseconds)
    .option("--first-sequence <n>", "RTP sequence number of the first packet; default random", sequence)
    .option("--npd", "leave null packets of a transport stream out on the way")
    .option("--isolate", "run the link in a thread of its own, apart from the source")
    .option("--srp-file <file>", "who may call: lines of ristsrppasswd (EAP-SRP)")
    .option("--config <file>", "TOML configuration")
    .option("--stats-dest <host:port>", "statistics as JSON over UDP")
    .option("--relay-url <host:port>", "a second destination of statistics")
    .option("--metrics <port>", "Prometheus text on http://127.0.0.1:port/metrics", port)
    .option("--control <port>", "UDP port on 127.0.0.1 for live changes as JSON", port)
    .option("--json", "one JSON object of statistics per second")
    .action(async (options) => (await import("../link/send.ts")).send(options));

  link
    .command("receive")
    .description("receive a stream from all links")
    .option("--bind <addresses>", "rist://@host:port, several joined by commas")
    .option("--output <output>", "udp://host:port, a file or -", "-")
    .option("--profile <profile>", "main or simple")
    .option("--buffer <ms>", "playout latency", milliseconds)
    .option("--isolate", "run the link in a thread of its own, apart from the output")
    .option("--srp-file <file>", "who may call: lines of ristsrppasswd (EAP-SRP)")
    .option("--config <file>", "TOML configuration")
    .option("--stats-dest <host:port>", "statistics as JSON over UDP")
    .option("--relay-url <host:port>", "a second destination of statistics")
    .option("--metrics <port>", "Prometheus text on http://127.0.0.1:port/metrics", port)
    .option("--json", "one JSON object of statistics per second on standard error where the output is -")
    .action(async (options) => (await import("../link/receive.ts")).receive(options));

  link
    .command("relay")
    .description("receive a stream and send it on without decoding it")
    .requiredOption("--bind <addresses>", "rist://@host:port, several joined by commas")
    .requiredOption("--dest <addresses>", "rist://host:port, several joined by commas")
    .option("--profile <profile>", "main or simple")
    .option("--buffer <ms>", "playout latency of the receiving side", milliseconds)
    .option("--json", "one JSON object of statistics per second")
    .action(async (options) => (await import("../link/relay.ts")).relay(options));

  link
    .command("simulate")
    .description("run a scenario in virtual time; without a name, list them")
    .argument("[scenario]", "name of the scenario")
    .option("--seed <n>", "seed of all fates", whole, 1)
    .option("--duration <s>", "seconds of the stream after its warm-up", whole)
    .option("--log <file>", "samples of truth and estimates as CSV")
    .option("--plot <file>", "the same as an SVG picture")
    .option("--json", "one JSON object")
    .action(async (name, options) => (await import("../link/simulate.ts")).simulate(name, options));

  link
    .command("report")
    .description("summarise statistics and check them against thresholds")
    .argument("<file>", "JSON lines as --json prints them, or a configuration with --check-config")
    .option("--check-config", "check a configuration and print it with its defaults")
    .option("--max-loss <ratio>", "exit with code 5 where more is lost", Number)
    .option("--max-gap <s>", "exit with code 5 where statistics pause for longer", Number)
    .option("--json", "one JSON object")
    .action(async (file, options) => (await import("../link/report.ts")).report(file, options));

  link
    .command("proxy")
    .description("an impaired link as a UDP proxy; JSON lines on standard input change it while it runs")
    .requiredOption("--listen <port>", "port to listen on", port)
    .requiredOption("--target <host:port>", "where datagrams go")
    .option("--delay <ms>", "delay of each direction", Number, 0)
    .option("--jitter <ms>", "extra delay, uniform up to this", Number, 0)
    .option("--loss <ratio>", "loss of each direction, 0 to 1", Number, 0)
    .option("--burst <packets>", "mean length of bursts of loss", Number)
    .option("--rate <bps>", "bottleneck, such as 6M", bitrate)
    .option("--queue <ms>", "longest wait at the bottleneck", Number, 200)
    .option("--pair", "serve the next port too, as the Simple profile needs")
    .option("--seed <n>", "seed of all fates", whole, 1)
    .option("--json", "counters as one JSON object a second")
    .action(async (options) => (await import("../link/proxy.ts")).proxy(options));
}

function bitrate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kMG]?)$/.exec(text);
  const value =
    match === null
      ? 0
      : Number(match[1]) * { "": 1, k: 1e3, M: 1e6, G: 1e9 }[match[2] as "" | "k" | "M" | "G"];
  if (value >= 1000 && value <= 1e10) return value;
  throw new InvalidArgumentError("Give bits per second from 1000 to 10G, such as 2500k or 6M.");
}

function milliseconds(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 10 && value <= 60_000) return value;
  throw new InvalidArgumentError("Give whole milliseconds from 10 to 60000.");
}

function gather(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 20) return value;
  throw new InvalidArgumentError("Give milliseconds from 0 to 20.");
}

function port(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 65_535) return value;
  throw new InvalidArgumentError("Give a port from 1 to 65535.");
}

function sequence(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  throw new InvalidArgumentError("Give a whole number from 0 to 65535.");
}

function whole(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError("Give a whole number.");
}
