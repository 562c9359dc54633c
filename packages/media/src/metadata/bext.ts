/** Broadcast extension chunk (EBU Tech 3285, versions 0 to 2). */
export interface Bext {
  readonly description: string;
  readonly originator: string;
  readonly originatorReference: string;
  /** yyyy-mm-dd as it stands. */
  readonly originationDate: string;
  /** hh:mm:ss as it stands. */
  readonly originationTime: string;
  /** First sample since midnight, in samples at the file's rate. */
  readonly timeReference: number;
  readonly version: number;
  /** Basic SMPTE UMID, 64 bytes; undefined before version 1 or where it is empty. */
  readonly umid: Uint8Array | undefined;
  /** Version 2: integrated loudness in LUFS, range in LU, true peak in dBTP, momentary and short-term maxima in LUFS. */
  readonly loudness:
    | {
        readonly integratedLufs: number | undefined;
        readonly rangeLu: number | undefined;
        readonly maxTruePeakDbtp: number | undefined;
        readonly maxMomentaryLufs: number | undefined;
        readonly maxShortTermLufs: number | undefined;
      }
    | undefined;
  readonly codingHistory: string;
}

/** Length of the fixed part. */
const fixedBytes = 602;

/** "Not set" for the loudness fields (EBU Tech 3285 section 2.3). */
const unset = 0x7fff;

/** Reads a `bext` chunk; undefined where it is shorter than its fixed part. Texts are taken as Latin-1 up to their first NUL. */
export function parseBext(bytes: Uint8Array): Bext | undefined {
  if (bytes.length < fixedBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint16(346, true);
  const umid = new Uint8Array(bytes.subarray(348, 412));
  const level = (at: number): number | undefined => {
    const value = view.getInt16(at, true);
    return value === unset ? undefined : value / 100;
  };
  return {
    description: text(bytes, 0, 256),
    originator: text(bytes, 256, 288),
    originatorReference: text(bytes, 288, 320),
    originationDate: text(bytes, 320, 330),
    originationTime: text(bytes, 330, 338),
    timeReference: view.getUint32(342, true) * 2 ** 32 + view.getUint32(338, true),
    version,
    umid: version >= 1 && umid.some((byte) => byte !== 0) ? umid : undefined,
    loudness:
      version < 2
        ? undefined
        : {
            integratedLufs: level(412),
            rangeLu: level(414),
            maxTruePeakDbtp: level(416),
            maxMomentaryLufs: level(418),
            maxShortTermLufs: level(420),
          },
    codingHistory: text(bytes, fixedBytes, bytes.length),
  };
}

/** Latin-1 up to the first NUL, without the blanks that pad it. */
export function text(bytes: Uint8Array, start: number, end: number): string {
  const nul = bytes.subarray(start, end).indexOf(0);
  const stop = nul < 0 ? end : start + nul;
  let value = "";
  for (let i = start; i < stop; i++) value += String.fromCharCode(bytes[i]!);
  return value.trimEnd();
}
