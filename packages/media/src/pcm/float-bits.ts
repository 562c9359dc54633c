/** One 8-byte cell seen as floats and as bytes, so that float samples are read and written without a view per call. */
export const cellBytes: Uint8Array = new Uint8Array(8);
export const cellF32: Float32Array = new Float32Array(cellBytes.buffer, 0, 1);
export const cellF64: Float64Array = new Float64Array(cellBytes.buffer);

/** Typed arrays have the machine's byte order; every platform that runs JavaScript engines today is little-endian. */
cellF32[0] = 1;
export const machineIsLittleEndian: boolean = cellBytes[3] === 0x3f;
