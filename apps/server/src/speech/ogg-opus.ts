import { OggOpusWriter, plainOpusHead } from "@longwave/media";
import { OpusEncoder } from "@longwave/opus";
import { TtsError } from "@longwave/tts";

/** 20 ms at 24 kHz, the packets that voice over IP uses. */
const packetMs = 20;
const pageMs = 80;
/** Enough for any packet of 20 ms (RFC 6716 section 3.2.1). */
const largestPacket = 1275;

/**
 * Encodes mono speech as Ogg Opus while it is made; pieces come out as pages are full, about one for every 80 ms.
 * @param bitrateBps default 32,000: transparent for wide-band speech
 * @throws TtsError `tts/format-unsupported` for a rate that Opus does not take
 */
export async function* oggOpusOf(
  blocks: AsyncIterable<Float32Array>,
  sampleRate: number,
  bitrateBps = 32_000,
): AsyncGenerator<Uint8Array> {
  if (![8000, 12_000, 16_000, 24_000, 48_000].includes(sampleRate)) {
    throw new TtsError(
      "tts/format-unsupported",
      `Opus takes no sound of ${sampleRate} Hz; ask for wav or pcm.`,
    );
  }
  using encoder = new OpusEncoder({
    sampleRate: sampleRate as 24_000,
    channels: 1,
    application: "voip",
    bitrateBps,
  });
  const toWire = 48_000 / sampleRate;
  const pages: Uint8Array[] = [];
  const writer = new OggOpusWriter((bytes) => void pages.push(bytes.slice()), {
    head: plainOpusHead(1, encoder.lookahead * toWire, sampleRate),
    serial: 1,
    maxDelayMs: pageMs,
  });
  const frame = new Float32Array((sampleRate * packetMs) / 1000);
  const packet = new Uint8Array(largestPacket);
  let filled = 0;
  let spoken = 0;
  const encode = () => {
    writer.write(packet.subarray(0, encoder.encode(frame, packet)));
    filled = 0;
  };
  for await (const block of blocks) {
    spoken += block.length;
    for (let at = 0; at < block.length; ) {
      const count = Math.min(block.length - at, frame.length - filled);
      frame.set(block.subarray(at, at + count), filled);
      filled += count;
      at += count;
      if (filled === frame.length) encode();
    }
    yield* pages.splice(0);
  }
  // The decoder is late by the look-ahead: silence pushes the last samples out.
  for (let left = filled + encoder.lookahead; left > 0; left -= frame.length) {
    frame.fill(0, filled);
    encode();
  }
  writer.finish(spoken * toWire);
  yield* pages.splice(0);
}
