import type { Command } from "commander";
import { registerArchive } from "./archive.ts";
import { registerId } from "./id.ts";
import { registerSay } from "./say.ts";
import { registerStation } from "./station.ts";

/** Adds one `longwave <thing>` to the program. One file per thing; order here is the order of the help text. */
export type RegisterCommand = (program: Command) => void;

export const commands: readonly RegisterCommand[] = [
  registerStation,
  registerArchive,
  registerId,
  registerSay,
];
