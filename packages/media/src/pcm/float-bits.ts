/** One 8-byte cell seen as floats and as words, so that float samples are read and written without a view per call. */
export const cellF32: Float32Array = new Float32Array(2);
export const cellF64: Float64Array = new Float64Array(cellF32.buffer);
export const cellWords: Int32Array = new Int32Array(cellF32.buffer);

cellF64[0] = 1;
/** Which word of the cell holds the sign and exponent of a double: 1 on little-endian machines. */
export const highWord: number = cellWords[1] === 0x3ff0_0000 ? 1 : 0;
