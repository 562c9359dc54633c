/** Where in the AssemblyScript source a trap happened. */
export interface TrapLocation {
  /** Path as in the source map, relative to the repository. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** Byte offset in the binary. */
  readonly offset: number;
}

/**
 * Finds the source position of a trap of a *debug* core, innermost frame first. The engine's stack gives byte offsets
 * (`wasm-function[3]:0x1a2`, the form of the WebAssembly Web API), the source map gives lines.
 *
 * @param error what a call into the core threw
 * @param sourceMap the `coreSourceMap` text of the generated debug module (source map revision 3)
 * @returns the frames that could be mapped; empty where the engine reports no offsets or the error is no trap
 */
export function locateTrap(error: unknown, sourceMap: string): TrapLocation[] {
  if (!(error instanceof Error) || error.stack === undefined) return [];
  const map = JSON.parse(sourceMap) as { sources: string[]; mappings: string };
  const segments = decodeMappings(map.mappings);
  const frames: TrapLocation[] = [];
  for (const match of error.stack.matchAll(/wasm-function\[\d+\]:0x([0-9a-f]+)/g)) {
    const offset = Number.parseInt(match[1]!, 16);
    const segment = findSegment(segments, offset);
    const file = segment === undefined ? undefined : map.sources[segment.source];
    if (segment === undefined || file === undefined) continue;
    frames.push({ file, line: segment.line + 1, column: segment.column + 1, offset });
  }
  return frames;
}

/** One line for a log: the trap's message and the innermost position, `unreachable at assembly/fft.ts:12:5`. */
export function describeTrap(error: unknown, sourceMap: string): string {
  const message = error instanceof Error ? error.message : String(error);
  const frame = locateTrap(error, sourceMap)[0];
  return frame === undefined ? message : `${message} at ${frame.file}:${frame.line}:${frame.column}`;
}

interface Segment {
  offset: number;
  source: number;
  line: number;
  column: number;
}

/** The map of a binary has one generated line, whose columns are byte offsets. */
function decodeMappings(mappings: string): Segment[] {
  const segments: Segment[] = [];
  let offset = 0;
  let source = 0;
  let line = 0;
  let column = 0;
  const [first = ""] = mappings.split(";", 1);
  for (const text of first.split(",")) {
    const fields = decodeVlq(text);
    offset += fields[0] ?? 0;
    if (fields.length < 4) continue;
    source += fields[1]!;
    line += fields[2]!;
    column += fields[3]!;
    segments.push({ offset, source, line, column });
  }
  return segments;
}

function decodeVlq(text: string): number[] {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const fields: number[] = [];
  let value = 0;
  let shift = 0;
  for (const character of text) {
    const digit = alphabet.indexOf(character);
    value |= (digit & 31) << shift;
    shift += 5;
    if (digit >= 32) continue;
    fields.push(value & 1 ? -(value >>> 1) : value >>> 1);
    value = 0;
    shift = 0;
  }
  return fields;
}

/** The last segment that begins at or before `offset`. */
function findSegment(segments: readonly Segment[], offset: number): Segment | undefined {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (segments[middle]!.offset <= offset) low = middle + 1;
    else high = middle;
  }
  return segments[low - 1];
}
