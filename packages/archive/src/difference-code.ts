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
  #bytes = new Uint8Array(256);
  #bits = 0;

  put(value: number, count: number): void {
    if ((this.#bits + count + 7) >> 3 > this.#bytes.length) {
      const longer = new Uint8Array(2 * this.#bytes.length);
      longer.set(this.#bytes);
      this.#bytes = longer;
    }
    for (let bit = count - 1; bit >= 0; bit--, this.#bits++)
      this.#bytes[this.#bits >> 3]! |= ((value >> bit) & 1) << (7 - (this.#bits & 7));
  }

  ones(count: number): void {
    for (let i = 0; i < count; i++) this.put(1, 1);
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, (this.#bits + 7) >> 3);
  }
}

/** Reads zeros behind the end, and tells that it did. */
class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** All bytes were read, none that is not there, and what fills the last one is zero. */
  get isAtEnd(): boolean {
    const padding = -this.#at & 7;
    return (this.#at + 7) >> 3 === this.#bytes.length && this.take(padding) === 0;
  }

  bit(): number {
    const byte = this.#bytes[this.#at >> 3] ?? 0;
    return (byte >> (7 - (this.#at++ & 7))) & 1;
  }

  take(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value = (value << 1) | this.bit();
    return value;
  }
}

/** Differences of words and their base behind three zeros. */
function differencesOf(state: Uint8Array, base: Uint8Array | undefined): Int16Array {
  const words = state.length >> 1;
  const differences = new Int16Array(3 + words);
  for (let i = 0; i < words; i++) {
    const word = state[2 * i]! | (state[2 * i + 1]! << 8);
    const other = base === undefined ? 0 : base[2 * i]! | (base[2 * i + 1]! << 8);
    differences[3 + i] = word - other;
  }
  return differences;
}

/** The word at `at` as its neighbours in front foretell it. */
function predicted(differences: Int16Array, at: number, prediction: number): number {
  const a = differences[at - 1]!;
  const b = differences[at - 2]!;
  const c = differences[at - 3]!;
  if (prediction === 2) return a;
  if (prediction === 3) return 2 * a - b;
  return prediction === predictions.order3 ? 3 * (a - b) + c : 0;
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
  for (const [base, differences] of bases.entries()) {
    for (let prediction: number = predictions.order0; prediction <= predictions.order3; prediction++) {
      let any = 0;
      for (let i = start; i < end; i++) {
        const residual = folded(differences[3 + i]! - predicted(differences, 3 + i, prediction));
        residuals[i - start] = residual;
        any |= residual;
      }
      if (prediction === predictions.order0 && any === 0) {
        consider({ base, prediction: predictions.equal, parameter: 0, second: 0 }, 0);
        break;
      }
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
  if (reader.bit() === 1) {
    if (before.prediction === predictions.equal || reader.bit() === 0) return before;
    const parameter = before.parameter + (reader.bit() === 0 ? 1 : -1);
    return parameter < 0 || parameter > largestParameter ? undefined : { ...before, parameter };
  }
  const base = reader.bit();
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
    const differences = bases[form.base as 0 | 1];
    for (let i = start; i < end; i++) {
      const parameter = parameterAt(form, i - start);
      const residual = folded(differences[3 + i]! - predicted(differences, 3 + i, form.prediction));
      writer.ones(residual >> parameter);
      writer.put(0, 1);
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
  const nearWord = (i: number) => near[2 * i]! | (near[2 * i + 1]! << 8);
  const stateWord = (i: number) => state[2 * i]! | (state[2 * i + 1]! << 8);
  let form = firstForm;
  /** The differences in front of the word in hand, and that word's. */
  const last = new Int16Array(4);
  for (let start = 0; start < words; start += blockWords) {
    const read = readForm(form, reader);
    if (read === undefined) return undefined;
    form = read;
    const baseOf = form.base === 1 ? () => 0 : nearWord;
    for (let back = 1; back <= 3; back++) {
      const i = start - back;
      last[3 - back] = i < 0 ? 0 : stateWord(i) - baseOf(i);
    }
    const end = Math.min(words, start + blockWords);
    for (let i = start; i < end; i++) {
      const residual =
        form.prediction === predictions.equal ? 0 : readResidual(reader, parameterAt(form, i - start));
      if (residual === undefined) return undefined;
      last[3] = predicted(last, 3, form.prediction) + ((residual >> 1) ^ -(residual & 1));
      const word = baseOf(i) + last[3]!;
      state[2 * i] = word;
      state[2 * i + 1] = word >> 8;
      last.copyWithin(0, 1);
    }
  }
  if (state.length % 2 === 1) state[state.length - 1] = reader.take(8);
  return reader.isAtEnd ? state : undefined;
}

function parameterAt(form: BlockForm, inBlock: number): number {
  return form.prediction === predictions.halves && inBlock % 2 === 1 ? form.second : form.parameter;
}

function readResidual(reader: BitReader, parameter: number): number | undefined {
  let quotient = 0;
  while (reader.bit() === 1) {
    if (++quotient > 0xffff >> parameter) return undefined;
  }
  return (quotient << parameter) | reader.take(parameter);
}
