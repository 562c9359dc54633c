import { knownCommands, SubprocessEngine, verifyModel } from "@longwave/tts/node";

/** One finding of `longwave doctor`. */
export interface SpeechFinding {
  readonly name: string;
  readonly state: "good" | "note" | "bad";
  readonly says: string;
}

/** Which engines can speak here, and whether a given model is whole. Engines that are not installed are notes, not failures. */
export async function speechFindings(modelDirectory?: string): Promise<SpeechFinding[]> {
  const findings: SpeechFinding[] = [
    { name: "speech: formant", state: "good", says: "built in, speaks without a model" },
  ];
  for (const command of knownCommands) {
    const isThere = await new SubprocessEngine(command).isAvailable();
    findings.push({
      name: `speech: ${command.name}`,
      state: isThere ? "good" : "note",
      says: isThere ? "installed" : "not installed (optional)",
    });
  }
  if (modelDirectory === undefined) {
    const says = "no model given; get one with: longwave model download";
    return [...findings, { name: "speech: native", state: "note", says }];
  }
  return [
    ...findings,
    ...verifyModel(modelDirectory).map(({ name, ok, detail }): SpeechFinding => {
      return { name: `speech model: ${name}`, state: ok ? "good" : "bad", says: detail };
    }),
  ];
}
