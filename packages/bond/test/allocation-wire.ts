import { SeededRandom } from "@longwave/base";
import { createReceiver, createSender } from "@longwave/bond";
import { allocatedBytesPerCall } from "@longwave/testkit";

/** A clock that is only read: timers are not per packet. */
class StillClock {
  us = 1_000_000;
  nowUs(): number {
    return this.us;
  }
  wallUs(): number {
    return this.us;
  }
  schedule(): number {
    return 1;
  }
  cancel(): void {}
}

type Handler = (bytes: Uint8Array, length: number, address: string, port: number) => void;

/** A wire that hands every datagram to the receiver at once, in the sender's buffer. */
function makeWire() {
  const copy = new Uint8Array(2048);
  const handlers: Handler[] = [];
  const open = () => ({
    localAddress: "10.0.0.1",
    localPort: 1,
    send(bytes: Uint8Array, start: number, end: number) {
      for (let i = start; i < end; i++) copy[i - start] = bytes[i]!;
      handlers[0]?.(copy, end - start, "10.0.0.1", 5000);
      return true;
    },
    onMessage: (handler: Handler) => void handlers.push(handler),
    onError: () => undefined,
    close: () => undefined,
  });
  return { open };
}

/** Heap bytes that sending one packet and receiving it costs; a test file each, so that each is optimized on its own. */
export function allocatedPerPacket(profile: "simple" | "main"): { heap: number; rxPackets: number } {
  const clock = new StillClock();
  const wire = makeWire();
  const silent = { ...makeWire().open(), send: () => true };
  let isReceiver = true;
  const environment = {
    clock,
    random: new SeededRandom(3),
    openSocket: () => (isReceiver ? { ...silent, onMessage: wire.open().onMessage } : wire.open()),
  };
  const receiver = createReceiver(
    { profile, listen: "rist://@10.0.0.9:7000", maxBufferBytes: 4_000_000 },
    environment,
  );
  isReceiver = false;
  const sender = createSender(
    { profile, links: [{ to: "rist://10.0.0.9:7000" }], maxBufferBytes: 4_000_000 },
    environment,
  );
  const payload = new Uint8Array(1316);
  const { heap } = allocatedBytesPerCall(
    () => {
      clock.us += 1000;
      sender.send(payload);
    },
    { warmupCalls: 20_000, calls: 2000 },
  );
  return { heap, rxPackets: receiver.stats().links[0]!.rxPackets };
}
