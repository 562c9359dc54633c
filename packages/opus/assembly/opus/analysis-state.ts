// State of the music and speech analysis.

@unmanaged
export class AnalysisState {
  initialized: i32;
}

export const ANALYSIS_BYTES: usize = 64;

export function analysisReset(state: AnalysisState): void {
  memory.fill(changetype<usize>(state), 0, ANALYSIS_BYTES);
}
