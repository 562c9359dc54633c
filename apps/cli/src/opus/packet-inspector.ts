import { isLongwaveError } from "@longwave/base";
import type { OpusFilePacket, OpusHead } from "@longwave/media";
import {
  createPacketInfo,
  inspectPacket,
  OpusDecoder,
  type PacketTrace,
  parsePacket,
  type SilkFrameTrace,
  splitMultistreamPacket,
} from "@longwave/opus";

/**
 * What the packets of one stream hold, as JSON. It decodes along, because the energies of a CELT frame are coded relative to
 * those before it.
 */
export class PacketInspector {
  readonly #decoders: OpusDecoder[];
  readonly #info = createPacketInfo();
  readonly #pcm = new Float32Array(5760 * 2);

  constructor(head: OpusHead) {
    this.#decoders = Array.from(
      { length: head.streams },
      (_, stream) => new OpusDecoder({ channels: stream < head.coupled ? 2 : 1 }),
    );
  }

  close(): void {
    for (const decoder of this.#decoders) decoder.close();
  }

  /** One object per Opus stream in the packet, or what is wrong with it. */
  inspect(data: Uint8Array, withTrace: boolean): readonly object[] | { readonly malformed: string } {
    if (data.length === 0) {
      this.advance(data);
      return [];
    }
    try {
      return this.#split(data).map((part, stream) =>
        this.#describe(part, this.#decoders[stream]!, withTrace),
      );
    } catch (error) {
      if (!isLongwaveError(error)) throw error;
      return { malformed: error.message };
    }
  }

  /** Decodes only; malformed packets are passed over. */
  advance(data: Uint8Array): void {
    let parts: readonly (Uint8Array | null)[] = this.#decoders.map(() => null);
    if (data.length > 0) {
      try {
        parts = this.#split(data);
      } catch (error) {
        if (!isLongwaveError(error, "opus/invalid-packet")) throw error;
        return;
      }
    }
    for (const [stream, part] of parts.entries()) this.#decoders[stream]!.tryDecode(part, this.#pcm);
  }

  /** The trace alone, for comparisons. */
  trace(data: Uint8Array): readonly PacketTrace[] {
    return this.#split(data).map((part, stream) => this.#take(part, this.#decoders[stream]!));
  }

  #split(data: Uint8Array): readonly Uint8Array[] {
    return this.#decoders.length === 1 ? [data] : splitMultistreamPacket(data, this.#decoders.length);
  }

  #take(packet: Uint8Array, decoder: OpusDecoder): PacketTrace {
    const trace = inspectPacket(packet, decoder);
    decoder.decode(packet, this.#pcm);
    return trace;
  }

  #describe(packet: Uint8Array, decoder: OpusDecoder, withTrace: boolean): object {
    const info = this.#info;
    const trace = this.#take(packet, decoder);
    parsePacket(packet, info);
    const silk = trace.frames.filter((frame): frame is SilkFrameTrace => frame.kind === "silk");
    return {
      toc: packet[0],
      config: packet[0]! >> 3,
      code: info.code,
      mode: info.mode,
      bandwidth: info.bandwidth,
      channels: info.channels,
      frameMs: info.frameMs,
      frameBytes: Array.from(info.frameLengths.subarray(0, info.frameCount)),
      padding: info.padding,
      hasLbrr: info.hasLbrr,
      // One flag per SILK frame of the first channel; what CELT codes has none.
      voiceActivity: silk
        .filter((frame) => !frame.redundant && frame.channel === "mid")
        .map((frame) => frame.voiceActivity),
      finalRange: trace.finalRange,
      ...(withTrace && { frames: trace.frames }),
    };
  }
}

/** Everything about a packet of a file on one line. */
export function packetLine(
  index: number,
  packet: OpusFilePacket,
  inspector: PacketInspector,
  withTrace: boolean,
): object {
  const { link, data, frames, granule, skipStart, trimEnd, gapBefore, discontinuity } = packet;
  const found = inspector.inspect(data, withTrace);
  return {
    index,
    link,
    bytes: data.length,
    frames48k: frames,
    durationMs: frames / 48,
    granule,
    skipStart,
    trimEnd,
    gapBefore,
    discontinuity,
    ...(Array.isArray(found) ? (found.length === 1 ? found[0] : { streams: found }) : found),
  };
}
