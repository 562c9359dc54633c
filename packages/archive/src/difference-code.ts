/**
 * How a decoder state is told by another one that comes near: 16-bit words in blocks, each block predicted as FLAC predicts samples (fixed
 * polynomials, RFC 9639 section 9.2.5) and its residuals Rice-coded. A state is scalars, coefficients and stretches of sound, and every block
 * says which of these it is. Bits are written from the most significant one of each byte on:
 *
 *   block: 1 = as the block before, then for polynomials and halves 0 = its Rice parameters too, 10 / 11 = the (first) one more / less
 *          0, u1 base (0 the near state, 1 zero), u3 prediction, u4 Rice parameter, for halves one more
 *   then of every word its residual, folded (0, -1, 1, -2, ...): the quotient by 2^parameter in ones, a zero, the rest; nothing for `equal`
 *   at the end, where the state has an odd length, its last byte
 *
 * The difference of a word and its base is what is predicted, modulo 2^16; in front of the first word there are zeros.
 */
export const blockWords = 16;

/** Words equal their base; polynomials of order 0 to 3; order 0 with a parameter each for even and odd words, which are halves of 32 bits. */
const predictions = { equal: 0, order0: 1, order3: 4, halves: 5 } as const;
const largestParameter = 15;

interface BlockForm {
  /** 1 = words are told by themselves. */
  base: number;
  prediction: number;
  parameter: number;
  /** Of odd words, for halves. */
  second: number;
}

class BitWriter {
  #bytes = new Uint8Array(512);
  #at = 0;
  /** Bits that do not fill a byte yet. */
  #buffer = 0;
  #count = 0;

  /** The low `count` (0 to 16) bits of `value`. */
  put(value: number, count: number): void {
    this.#buffer = (this.#buffer << count) | (value & ((1 << count) - 1));
    this.#count += count;
    if (this.#at + 4 > this.#bytes.length) {
      const longer = new Uint8Array(2 * this.#bytes.length);
      longer.set(this.#bytes);
      this.#bytes = longer;
    }
    while (this.#count >= 8) {
      this.#count -= 8;
      this.#bytes[this.#at++] = this.#buffer >> this.#count;
    }
  }

  /** So many ones and a zero. */
  unary(ones: number): void {
    let left = ones;
    for (; left >= 15; left -= 15) this.put(0x7fff, 15);
    this.put((1 << (left + 1)) - 2, left + 1);
  }

  finish(): Uint8Array {
    this.put(0, -this.#count & 7);
    return this.#bytes.slice(0, this.#at);
  }
}

/** Reads zeros behind the end, and tells that it did. */
class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** The next `#count` bits, from the most significant one on; zeros below. */
  #buffer = 0;
  #count = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** All bytes were read, none that is not there, and what fills the last one is zero. */
  get isAtEnd(): boolean {
    const left = 8 * (this.#bytes.length - this.#at) + this.#count;
    return left >= 0 && left < 8 && this.#buffer === 0;
  }

  /** Makes 25 bits ready. */
  #fill(): void {
    while (this.#count <= 24) {
      this.#buffer |= (this.#bytes[this.#at++] ?? 0) << (24 - this.#count);
      this.#count += 8;
    }
  }

  /** The next `count` (0 to 16) bits. */
  take(count: number): number {
    if (this.#count < count) this.#fill();
    // In two steps: a shift by 32 would be one by 0.
    const value = (this.#buffer >>> 1) >>> (31 - count);
    this.#buffer <<= count;
    this.#count -= count;
    return value;
  }

  /** How many ones there are in front of the next zero; undefined where there are more than `most`. */
  unary(most: number): number | undefined {
    for (let ones = 0; ones <= most; ) {
      this.#fill();
      const run = Math.clz32(~this.#buffer);
      if (run < this.#count) {
        this.#buffer = (this.#buffer << run) << 1;
        this.#count -= run + 1;
        return ones + run <= most ? ones + run : undefined;
      }
      ones += this.#count;
      this.#buffer = 0;
      this.#count = 0;
    }
    return undefined;
  }
}

/** Differences of words and their base behind three zeros. */
function differencesOf(state: Uint8Array, base: Uint8Array | undefined): Int16Array {
  const words = state.length >> 1;
  const differences = new Int16Array(3 + words);
  for (let i = 0; i < words; i++) {
    differences[3 + i] = wordAt(state, i) - (base === undefined ? 0 : wordAt(base, i));
  }
  return differences;
}

/** The word behind `a`, in front of which `b` and `c` come, as these foretell it. */
function predicted(prediction: number, a: number, b: number, c: number): number {
  if (prediction === 2) return a;
  if (prediction === 3) return 2 * a - b;
  return prediction === predictions.order3 ? 3 * (a - b) + c : 0;
}

/** The residuals of the words `[start, end)`, folded, into `residuals`; returns whether any is not zero. */
function fillResiduals(differences: Int16Array, start: number, end: number, prediction: number): boolean {
  let c = differences[start]!;
  let b = differences[start + 1]!;
  let a = differences[start + 2]!;
  let any = 0;
  for (let i = start; i < end; i++) {
    const word = differences[3 + i]!;
    const residual = folded(word - predicted(prediction, a, b, c));
    residuals[i - start] = residual;
    any |= residual;
    c = b;
    b = a;
    a = word;
  }
  return any !== 0;
}

/** Residual as an unsigned number: 0, -1, 1, -2, ... */
function folded(residual: number): number {
  const signed = (residual << 16) >> 16;
  return ((signed << 1) ^ (signed >> 31)) & 0xffff;
}

const residuals = new Uint16Array(blockWords);

/** Bits that every second residual from `first` on takes with the best parameter, and that one; `step` 1 = all of them. */
function bestParameter(
  count: number,
  first: number,
  step: number,
): readonly [bits: number, parameter: number] {
  let sum = 0;
  for (let i = first; i < count; i += step) sum += residuals[i]!;
  const mean = (sum * step) / count;
  let best = Number.POSITIVE_INFINITY;
  let parameter = 0;
  const about = Math.min(largestParameter, 31 - Math.clz32(Math.max(1, mean)));
  for (let k = Math.max(0, about - 1); k <= Math.min(largestParameter, about + 1); k++) {
    let bits = 0;
    for (let i = first; i < count; i += step) bits += 1 + k + (residuals[i]! >> k);
    if (bits < best) [best, parameter] = [bits, k];
  }
  return [best, parameter];
}

/** The form that takes the fewest bits for the words `[start, end)`; ties go to the first. */
function chooseForm(
  bases: readonly [near: Int16Array, zero: Int16Array],
  start: number,
  end: number,
  before: BlockForm,
): BlockForm {
  let best = Number.POSITIVE_INFINITY;
  let form: BlockForm = before;
  const consider = (candidate: BlockForm, bits: number) => {
    const cost = bits + formBits(candidate, before);
    if (cost < best) [best, form] = [cost, candidate];
  };
  for (let base = 0; base < bases.length; base++) {
    if (!fillResiduals(bases[base as 0 | 1], start, end, predictions.order0))
      return { base, prediction: predictions.equal, parameter: 0, second: 0 };
  }
  for (let base = 0; base < bases.length; base++) {
    for (let prediction: number = predictions.order0; prediction <= predictions.order3; prediction++) {
      fillResiduals(bases[base as 0 | 1], start, end, prediction);
      const [bits, parameter] = bestParameter(end - start, 0, 1);
      consider({ base, prediction, parameter, second: 0 }, bits);
      if (prediction !== predictions.order0 || end - start < 2) continue;
      const [even, first] = bestParameter(end - start, 0, 2);
      const [odd, second] = bestParameter(end - start, 1, 2);
      consider({ base, prediction: predictions.halves, parameter: first, second }, even + odd);
    }
  }
  return form;
}

/** How the parameter differs from the one before, where all else is the same: 0, 1 or -1; undefined = told anew. */
function parameterStep(form: BlockForm, before: BlockForm): number | undefined {
  const { base, prediction, parameter, second } = form;
  if (base !== before.base || prediction !== before.prediction || second !== before.second) return undefined;
  const step = parameter - before.parameter;
  return Math.abs(step) <= 1 ? step : undefined;
}

function formBits(form: BlockForm, before: BlockForm): number {
  const step = parameterStep(form, before);
  if (step !== undefined) return form.prediction === predictions.equal ? 1 : step === 0 ? 2 : 3;
  return form.prediction === predictions.equal ? 5 : form.prediction === predictions.halves ? 13 : 9;
}

function writeForm(form: BlockForm, before: BlockForm, writer: BitWriter): void {
  const step = parameterStep(form, before);
  const isEqual = form.prediction === predictions.equal;
  writer.put(step === undefined ? 0 : 1, 1);
  if (step !== undefined) {
    if (isEqual) return;
    if (step === 0) writer.put(0, 1);
    else writer.put(step > 0 ? 2 : 3, 2);
    return;
  }
  writer.put(form.base, 1);
  writer.put(form.prediction, 3);
  if (isEqual) return;
  writer.put(form.parameter, 4);
  if (form.prediction === predictions.halves) writer.put(form.second, 4);
}

function readForm(before: BlockForm, reader: BitReader): BlockForm | undefined {
  if (reader.take(1) === 1) {
    if (before.prediction === predictions.equal || reader.take(1) === 0) return before;
    const parameter = before.parameter + (reader.take(1) === 0 ? 1 : -1);
    return parameter < 0 || parameter > largestParameter ? undefined : { ...before, parameter };
  }
  const base = reader.take(1);
  const prediction = reader.take(3);
  if (prediction > predictions.halves) return undefined;
  if (prediction === predictions.equal) return { base, prediction, parameter: 0, second: 0 };
  const parameter = reader.take(4);
  return { base, prediction, parameter, second: prediction === predictions.halves ? reader.take(4) : 0 };
}

const firstForm: BlockForm = { base: 0, prediction: predictions.equal, parameter: 0, second: 0 };

/** Tells `state` by `near`. @returns undefined where their lengths differ */
export function encodeDifference(state: Uint8Array, near: Uint8Array): Uint8Array | undefined {
  if (state.length !== near.length) return undefined;
  const bases = [differencesOf(state, near), differencesOf(state, undefined)] as const;
  const words = state.length >> 1;
  const writer = new BitWriter();
  let form = firstForm;
  for (let start = 0; start < words; start += blockWords) {
    const end = Math.min(words, start + blockWords);
    const before = form;
    form = chooseForm(bases, start, end, before);
    writeForm(form, before, writer);
    if (form.prediction === predictions.equal) continue;
    fillResiduals(bases[form.base as 0 | 1], start, end, form.prediction);
    for (let i = 0; i < end - start; i++) {
      const parameter = parameterAt(form, i);
      const residual = residuals[i]!;
      writer.unary(residual >> parameter);
      writer.put(residual & ((1 << parameter) - 1), parameter);
    }
  }
  if (state.length % 2 === 1) writer.put(state.at(-1)!, 8);
  return writer.finish();
}

/** The inverse. @returns undefined where `bytes` are no such code of a state as long as `near` */
export function decodeDifference(near: Uint8Array, bytes: Uint8Array): Uint8Array | undefined {
  const reader = new BitReader(bytes);
  const words = near.length >> 1;
  const state = new Uint8Array(near.length);
  let form = firstForm;
  for (let start = 0; start < words; start += blockWords) {
    const read = readForm(form, reader);
    if (read === undefined) return undefined;
    form = read;
    const end = Math.min(words, start + blockWords);
    const { prediction, base } = form;
    // Differences of the words in front, to the base of this block.
    let a = start === 0 ? 0 : wordAt(state, start - 1) - (base === 1 ? 0 : wordAt(near, start - 1));
    let b = start === 0 ? 0 : wordAt(state, start - 2) - (base === 1 ? 0 : wordAt(near, start - 2));
    let c = start === 0 ? 0 : wordAt(state, start - 3) - (base === 1 ? 0 : wordAt(near, start - 3));
    for (let i = start; i < end; i++) {
      let difference = 0;
      if (prediction !== predictions.equal) {
        const parameter = parameterAt(form, i - start);
        const quotient = reader.unary(0xffff >> parameter);
        if (quotient === undefined) return undefined;
        const residual = (quotient << parameter) | reader.take(parameter);
        difference = ((predicted(prediction, a, b, c) + ((residual >> 1) ^ -(residual & 1))) << 16) >> 16;
      }
      const word = difference + (base === 1 ? 0 : wordAt(near, i));
      state[2 * i] = word;
      state[2 * i + 1] = word >> 8;
      c = b;
      b = a;
      a = difference;
    }
  }
  if (state.length % 2 === 1) state[state.length - 1] = reader.take(8);
  return reader.isAtEnd ? state : undefined;
}

function wordAt(bytes: Uint8Array, i: number): number {
  return bytes[2 * i]! | (bytes[2 * i + 1]! << 8);
}

function parameterAt(form: BlockForm, inBlock: number): number {
  return form.prediction === predictions.halves && inBlock % 2 === 1 ? form.second : form.parameter;
}
