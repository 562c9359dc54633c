let context: AudioContext | undefined;

/**
 * The output that archive sound is played on, at the shortest delay that the browser offers. Making it takes a browser up to a
 * fifth of a second and needs nobody's leave, so that it is done before anyone asks for sound; it rests until then.
 */
export function soundOutput(): AudioContext {
  if (context === undefined) {
    context = new AudioContext({ sampleRate: 48_000, latencyHint: 0 });
    void context.suspend();
  }
  return context;
}

/** Wakes the output: resolves when it runs, which browsers grant from the first press or key on the page on. */
export async function wakeSoundOutput(): Promise<void> {
  const output = soundOutput();
  if (output.state !== "running") await output.resume();
}

/** Lets the output rest: it costs nothing until it is woken. */
export function restSoundOutput(): void {
  void context?.suspend();
}

/** When a sample that is due at `contextTime` leaves for the loudspeaker, on the page's clock (ms). */
export function heardAt(output: AudioContext, contextTime: number): number {
  // Browsers that do not know the delay of the device leave it out.
  const latency = output.baseLatency + (output.outputLatency || 0);
  return performance.now() + 1000 * (contextTime - output.currentTime + latency);
}
