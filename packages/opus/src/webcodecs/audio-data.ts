import { type BufferSource, bytesOf, ownBytes } from "./buffer-source.ts";
import { exception } from "./exceptions.ts";
import {
  type AudioSampleFormat,
  bytesPerSample,
  fromFloat,
  isPlanar,
  isSampleFormat,
  kindOf,
  type SampleArray,
  sampleView,
  toFloat,
} from "./sample-formats.ts";

export interface AudioDataInit {
  readonly format: AudioSampleFormat;
  readonly sampleRate: number;
  readonly numberOfFrames: number;
  readonly numberOfChannels: number;
  /** Microseconds. */
  readonly timestamp: number;
  /** Interleaved, or one channel behind the other for planar formats. */
  readonly data: BufferSource;
  /** Buffers that may be taken over instead of copied. */
  readonly transfer?: readonly ArrayBuffer[];
}

export interface AudioDataCopyToOptions {
  /** Channel of a planar format; 0 for interleaved ones. */
  readonly planeIndex: number;
  /** Default 0. */
  readonly frameOffset?: number;
  /** Default: all from the offset on. */
  readonly frameCount?: number;
  /** Default: the data's own. */
  readonly format?: AudioSampleFormat;
}

/** What the encoder asks of audio data; a browser's own objects have it, too. */
export interface AudioDataLike {
  readonly format: AudioSampleFormat | null;
  readonly sampleRate: number;
  readonly numberOfFrames: number;
  readonly numberOfChannels: number;
  readonly timestamp: number;
  copyTo(destination: BufferSource, options: AudioDataCopyToOptions): void;
  clone(): AudioDataLike;
  close(): void;
}

type AudioForm = Pick<AudioDataInit, "format" | "sampleRate" | "numberOfFrames" | "numberOfChannels">;

/**
 * Uncompressed sound with its time: `AudioData` of WebCodecs. Samples are immutable and shared between clones. Conversions
 * scale by 2^(bits - 1), round half up and clip; browsers differ from each other here by one step.
 */
export class AudioData implements AudioDataLike {
  readonly #timestamp: number;
  #form: AudioForm | undefined;
  #samples: SampleArray | undefined;

  /** @throws TypeError for members that are absent, zero, or do not fit each other */
  constructor(init: AudioDataInit) {
    const { format, sampleRate, numberOfFrames, numberOfChannels, timestamp, data, transfer } = init;
    if (!isSampleFormat(format)) throw new TypeError(`format ${String(format)} is no sample format.`);
    if (!(sampleRate > 0 && Number.isFinite(sampleRate))) throw new TypeError(`sampleRate is ${sampleRate}.`);
    for (const [name, value] of Object.entries({ numberOfFrames, numberOfChannels })) {
      if (!(Number.isInteger(value) && value > 0)) {
        throw new TypeError(`${name} is ${value}; give a whole number above 0.`);
      }
    }
    if (!Number.isFinite(timestamp)) throw new TypeError(`timestamp is ${timestamp}; give microseconds.`);
    const count = numberOfFrames * numberOfChannels;
    if (bytesOf(data, "data").length < count * bytesPerSample(format)) {
      throw new TypeError(`data holds fewer than ${numberOfFrames} frames of ${numberOfChannels} channels.`);
    }
    const bytes = ownBytes(data, transfer, "data");
    this.#samples = sampleView(bytes.buffer, bytes.byteOffset, count, kindOf(format));
    this.#form = { format, sampleRate, numberOfFrames, numberOfChannels };
    this.#timestamp = Math.trunc(timestamp);
  }

  /** null once closed. */
  get format(): AudioSampleFormat | null {
    return this.#form?.format ?? null;
  }

  get sampleRate(): number {
    return this.#form?.sampleRate ?? 0;
  }

  get numberOfFrames(): number {
    return this.#form?.numberOfFrames ?? 0;
  }

  get numberOfChannels(): number {
    return this.#form?.numberOfChannels ?? 0;
  }

  /** Microseconds. */
  get duration(): number {
    const form = this.#form;
    return form === undefined ? 0 : Math.trunc((form.numberOfFrames * 1e6) / form.sampleRate);
  }

  /** Microseconds. */
  get timestamp(): number {
    return this.#timestamp;
  }

  /**
   * Bytes that `copyTo` writes with the same options.
   * @throws DOMException `InvalidStateError` once closed; RangeError for planes and frames that are not there
   */
  allocationSize(options: AudioDataCopyToOptions): number {
    const { samples, format } = this.#resolve(options);
    return samples * bytesPerSample(format);
  }

  /** @throws as `allocationSize`, and RangeError where the destination is too small */
  copyTo(destination: BufferSource, options: AudioDataCopyToOptions): void {
    const { form, offset, frames, samples, format } = this.#resolve(options);
    const into = bytesOf(destination, "destination");
    const needed = samples * bytesPerSample(format);
    if (into.length < needed) {
      throw new RangeError(`The destination has ${into.length} bytes; ${needed} are needed.`);
    }
    const { numberOfChannels: channels, numberOfFrames } = form;
    const source = this.#samples!;
    const [fromKind, toKind] = [kindOf(form.format), kindOf(format)];
    const aligned = into.byteOffset % bytesPerSample(format) === 0;
    const output = aligned
      ? sampleView(into.buffer, into.byteOffset, samples, toKind)
      : sampleView(new ArrayBuffer(needed), 0, samples, toKind);
    const sourceIsPlanar = isPlanar(form.format);
    const width = isPlanar(format) ? 1 : channels;
    for (let channel = 0; channel < width; channel++) {
      const plane = width === 1 ? options.planeIndex : channel;
      const start = sourceIsPlanar ? plane * numberOfFrames + offset : offset * channels + plane;
      const step = sourceIsPlanar ? 1 : channels;
      for (let frame = 0; frame < frames; frame++) {
        const value = source[start + frame * step]!;
        output[frame * width + channel] =
          fromKind === toKind ? value : fromFloat(toFloat(value, fromKind), toKind);
      }
    }
    if (!aligned) into.set(new Uint8Array(output.buffer));
  }

  /** The same samples under another handle. @throws DOMException `InvalidStateError` once closed */
  clone(): AudioData {
    const form = this.#opened();
    const samples = this.#samples!;
    // One frame to pass the constructor; the samples are then those of this object.
    const twin = new AudioData({
      ...form,
      numberOfFrames: 1,
      timestamp: this.#timestamp,
      data: samples.subarray(0, form.numberOfChannels),
    });
    twin.#form = form;
    twin.#samples = samples;
    return twin;
  }

  /** Lets the samples go. */
  close(): void {
    this.#form = undefined;
    this.#samples = undefined;
  }

  #opened(): AudioForm {
    if (this.#form === undefined) throw exception("InvalidStateError", "The AudioData is closed.");
    return this.#form;
  }

  #resolve(options: AudioDataCopyToOptions) {
    const form = this.#opened();
    const format = options.format ?? form.format;
    if (!isSampleFormat(format)) throw new TypeError(`format ${String(format)} is no sample format.`);
    const { planeIndex, frameOffset: offset = 0 } = options;
    const planes = isPlanar(format) ? form.numberOfChannels : 1;
    if (!(Number.isInteger(planeIndex) && planeIndex >= 0 && planeIndex < planes)) {
      throw new RangeError(`planeIndex is ${planeIndex}; ${format} has ${planes} planes here.`);
    }
    const left = form.numberOfFrames - offset;
    if (!(Number.isInteger(offset) && offset >= 0 && left > 0)) {
      throw new RangeError(`frameOffset is ${offset}; there are ${form.numberOfFrames} frames.`);
    }
    const frames = options.frameCount ?? left;
    if (!(Number.isInteger(frames) && frames >= 0 && frames <= left)) {
      throw new RangeError(`frameCount is ${frames}; ${left} frames follow the offset.`);
    }
    const samples = frames * (isPlanar(format) ? 1 : form.numberOfChannels);
    return { form, offset, frames, samples, format };
  }
}
