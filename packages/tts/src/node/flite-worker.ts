// Runs flite beside the main thread: a sentence takes 50 to 400 ms, in which a server has other things to do.
import { parentPort, workerData } from "node:worker_threads";
import { maxFliteOutputBytes } from "../flite/flite-engine.ts";
import { runWasiProgram, type WasiResult } from "../flite/wasi-program.ts";

/** To the thread: the arguments. Back: what the program left, or why it broke. */
export type FliteAnswer = { readonly result: WasiResult } | { readonly trap: string };

const port = parentPort!;
const program = workerData as WebAssembly.Module;

port.on("message", (args: readonly string[]) => {
  let answer: FliteAnswer;
  try {
    answer = { result: runWasiProgram(program, args, maxFliteOutputBytes) };
  } catch (error) {
    answer = { trap: (error as Error).message };
  }
  port.postMessage(answer);
});
