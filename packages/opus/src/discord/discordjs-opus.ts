import { OpusDecoder } from "../decoder.ts";
import { applications } from "../encoder-settings.ts";
import { ControlledEncoder, control, setDecoder } from "./controls.ts";
import { asBytes, type Bytes, checkBytes, SampleRoom } from "./sample-bytes.ts";

/** Bytes of the largest packet that these classes make: three frames of 1275 bytes and their first bytes. */
export const maxPacketBytes: number = 3 * 1276;
/** Frames of 120 ms at 48 kHz. */
const longestFrames = 5760;

/**
 * Encoder and decoder in one, with the methods of `OpusEncoder` of `@discordjs/opus`: 16-bit little-endian samples in Buffers.
 * There is nothing to compile. Errors are `OpusError`; `close` gives memory back at once, the garbage collector does later.
 *
 * @example
 * const opus = new OpusEncoder(48000, 2);
 * const packet = opus.encode(pcm); // 3840 bytes, 20 ms
 * const sound = opus.decode(packet);
 */
export class OpusEncoder implements Disposable {
  readonly #rate: number;
  readonly #channels: number;
  readonly #application: number;
  readonly #input = new SampleRoom();
  readonly #packet = new Uint8Array(maxPacketBytes);
  readonly #pcm: Int16Array;
  #encoder: ControlledEncoder | undefined;
  #decoder: OpusDecoder | undefined;

  /**
   * @param rate 8000, 12000, 16000, 24000 or 48000 @param channels 1 or 2
   * @throws OpusError `opus/bad-argument`
   */
  constructor(rate = 48_000, channels = 2, application: number = applications.audio) {
    this.#rate = rate;
    this.#channels = channels;
    this.#application = application;
    // Made at once so that bad arguments are refused here.
    this.#decoder = new OpusDecoder({ sampleRate: rate as 48_000, channels: channels as 1 | 2 });
    this.#pcm = new Int16Array(longestFrames * channels);
  }

  /**
   * Encodes samples whose length is a duration of Opus, 2.5 to 120 ms.
   * @throws OpusError `opus/bad-argument`
   */
  encode(pcm: Uint8Array): Bytes {
    const bytes = checkBytes(pcm, "The sound");
    const frames = Math.floor(bytes.length / 2 / this.#channels);
    return this.encodeFrames(bytes, frames);
  }

  /** The first `frames` sample frames of `pcm`. @internal */
  encodeFrames(pcm: Uint8Array, frames: number): Bytes {
    const samples = this.#input.take(pcm, frames * this.#channels);
    return asBytes(this.#packet.slice(0, this.#ensureEncoder().encode(samples, this.#packet)));
  }

  /**
   * Decodes a packet; an empty one stands for a loss as long as the packet before.
   * @throws OpusError `opus/invalid-packet`
   */
  decode(packet: Uint8Array): Bytes {
    return this.#sound(this.#ensureDecoder().decodeInt16(checkBytes(packet, "The packet"), this.#pcm));
  }

  /**
   * The sound of a lost packet: from the redundancy (FEC) of the packet behind it where that is given, else guessed from the
   * sound before.
   * @param frames sample frames of the loss, a multiple of 2.5 ms
   */
  conceal(frames: number, packet?: Uint8Array | null): Bytes {
    const decoder = this.#ensureDecoder();
    const count =
      packet === undefined || packet === null
        ? decoder.decodeInt16(null, this.#pcm, frames)
        : decoder.decodeFecInt16(checkBytes(packet, "The packet"), this.#pcm, frames);
    return this.#sound(count);
  }

  /** Sets the encoder by a request number of libopus. @throws OpusError `opus/bad-argument`, `opus/unimplemented` */
  applyEncoderCTL(ctl: number, value: number): void {
    this.#ensureEncoder().set(ctl, value);
  }

  /** Sets the decoder by a request number of libopus. @throws OpusError `opus/bad-argument`, `opus/unimplemented` */
  applyDecoderCTL(ctl: number, value: number): void {
    setDecoder(this.#ensureDecoder(), ctl, value);
  }

  /** Bits per second. */
  setBitrate(bitrate: number): void {
    this.applyEncoderCTL(control.bitrate, bitrate);
  }

  /** Bits per second in force; what Opus chooses by itself where none was set. */
  getBitrate(): number {
    return this.#ensureEncoder().bitrateBps;
  }

  /** Gives the memory back; a later call starts afresh. */
  close(): void {
    this.#encoder?.close();
    this.#decoder?.close();
    this.#encoder = undefined;
    this.#decoder = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #ensureEncoder(): ControlledEncoder {
    this.#encoder ??= new ControlledEncoder(this.#rate, this.#channels, this.#application);
    return this.#encoder;
  }

  #ensureDecoder(): OpusDecoder {
    this.#decoder ??= new OpusDecoder({
      sampleRate: this.#rate as 48_000,
      channels: this.#channels as 1 | 2,
    });
    return this.#decoder;
  }

  #sound(frames: number): Bytes {
    const samples = this.#pcm.slice(0, frames * this.#channels);
    return asBytes(new Uint8Array(samples.buffer));
  }
}
