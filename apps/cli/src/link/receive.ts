import { SystemClock } from "@longwave/base/node";
import { type ReceiverOptions, receiverOptionsOf, StatsRecorder } from "@longwave/bond";
import { createReceiver, IsolatedReceiver } from "@longwave/bond/node";
import { printLine, progress } from "../output.ts";
import { untilStopped } from "../until-stopped.ts";
import { checkProfile, readConfiguration, readSrpUsers } from "./configuration.ts";
import { type ObserveOptions, observe } from "./observe.ts";
import { type Output, openOutput } from "./output.ts";
import { keepHeapSmall } from "./small-heap.ts";
import { surroundingsOf, warnings } from "./surroundings.ts";

interface ReceiveOptions extends ObserveOptions {
  readonly bind?: string;
  readonly output: string;
  readonly profile?: string;
  readonly buffer?: number;
  readonly srpFile?: string;
  readonly isolate?: boolean;
  readonly config?: string;
}

/** `longwave link receive`: whatever arrives, in order and on time, until the command is stopped. */
export async function receive(options: ReceiveOptions): Promise<void> {
  keepHeapSmall();
  const config = readConfiguration(options.config);
  const profile = checkProfile(options.profile);
  const base = receiverOptionsOf(config);
  const isFixed = options.config === undefined || options.buffer !== undefined;
  const bufferMs = options.buffer ?? (options.bind?.includes("buffer=") === true ? undefined : base.bufferMs);
  const { minBufferMs, maxBufferMs, bufferMs: _, ...rest } = base;
  const ends: ReceiverOptions = {
    ...rest,
    ...(isFixed ? {} : { minBufferMs: minBufferMs!, maxBufferMs: maxBufferMs! }),
    ...(bufferMs === undefined ? {} : { bufferMs }),
    ...readSrpUsers(options.srpFile, config),
    listen: options.bind?.split(",") ?? base.listen,
    ...(profile === undefined ? {} : { profile }),
  };
  // In a thread of its own what is slow about the output keeps neither requests for repeats nor keep-alives waiting.
  const receiver =
    options.isolate === true
      ? new IsolatedReceiver({ ...ends, hooks: warnings })
      : createReceiver(ends, { hooks: warnings });
  let output: Output;
  try {
    await receiver.ready;
    output = await openOutput(options.output);
  } catch (error) {
    await receiver.close();
    throw error;
  }
  receiver.onPacket((bytes, start, end) => output.write(bytes, start, end));
  const recorder = new StatsRecorder(new SystemClock(), "receiver", surroundingsOf());
  const stats = config.tables["stats"]!;
  const statsDest = options.statsDest ?? (stats["dest"] as string | undefined);
  const print = options.output === "-" ? (line: string) => void process.stderr.write(`${line}\n`) : printLine;
  const stopObserving = await observe(
    async (reason) => recorder.receiver(await receiver.stats(), reason),
    {
      ...options,
      ...(statsDest === undefined ? {} : { statsDest }),
      intervalMs: stats["interval_ms"] as number,
    },
    print,
  );
  progress("receiving; Ctrl-C ends");
  await untilStopped();
  stopObserving();
  await receiver.close();
  await output.close();
  process.exit(0);
}
