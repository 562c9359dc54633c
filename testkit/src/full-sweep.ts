/**
 * True where `LONGWAVE_FULL=1` asks for whole sweeps (`npm run verify:exhaustive`). Otherwise long comparisons take a fixed
 * part: every branch of them, fewer repetitions, so that `npm test` stays within three minutes.
 */
export const isFullSweep: boolean = process.env["LONGWAVE_FULL"] === "1";
