import { SystemClock } from "@longwave/base/node";
import { StatsRecorder } from "@longwave/bond";
import { createReceiver, createSender } from "@longwave/bond/node";
import { printLine, progress } from "../output.ts";
import { untilStopped } from "../until-stopped.ts";
import { checkProfile } from "./configuration.ts";
import { observe } from "./observe.ts";
import { warnings } from "./surroundings.ts";

interface RelayOptions {
  readonly bind: string;
  readonly dest: string;
  readonly profile?: string;
  readonly buffer?: number;
  readonly json?: boolean;
}

/** `longwave link relay`: in by one set of links, out by another; media time and gaps are kept. */
export async function relay(options: RelayOptions): Promise<void> {
  const profile = checkProfile(options.profile) ?? "main";
  const links = options.dest.split(",").map((to) => ({ to }));
  const sender = createSender({ links, profile }, { hooks: warnings });
  const receiver = createReceiver(
    {
      listen: options.bind.split(","),
      profile,
      ...(options.buffer === undefined ? {} : { bufferMs: options.buffer }),
    },
    { hooks: warnings },
  );
  try {
    await Promise.all([receiver.ready, sender.ready]);
  } catch (error) {
    receiver.close();
    sender.close();
    throw error;
  }
  receiver.onPacket((bytes, start, end, info) => {
    // A gap on the way in is a gap on the way out: the sequence shows it to whoever receives next.
    if (info.isDiscontinuity) sender.markDiscontinuity();
    sender.send(bytes.subarray(start, end), info.timeUs);
  });
  const incoming = new StatsRecorder(new SystemClock(), "relay-in");
  const outgoing = new StatsRecorder(new SystemClock(), "relay-out");
  const json = options.json === true;
  const stops = [
    await observe((reason) => incoming.receiver(receiver.stats(), reason), { json }, printLine),
    await observe((reason) => outgoing.sender(sender.stats(), reason), { json }, printLine),
  ];
  progress("relaying; Ctrl-C ends");
  await untilStopped();
  for (const stop of stops) stop();
  receiver.close();
  sender.close();
  process.exit(0);
}
