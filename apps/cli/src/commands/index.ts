import type { Command } from "commander";
import { registerArchive } from "./archive.ts";
import { registerCompletion } from "./completion.ts";
import { registerConfig } from "./config.ts";
import { registerDoctor } from "./doctor.ts";
import { registerHealth } from "./health.ts";
import { registerId } from "./id.ts";
import { registerLink } from "./link.ts";
import { registerModel } from "./model.ts";
import { registerOpus } from "./opus.ts";
import { registerSay } from "./say.ts";
import { registerServe } from "./serve.ts";
import { registerStation } from "./station.ts";
import { registerTts } from "./tts.ts";
import { registerVoice } from "./voice.ts";

/** Adds one `longwave <thing>` to the program. One file per thing; order here is the order of the help text. */
export type RegisterCommand = (program: Command) => void;

export const commands: readonly RegisterCommand[] = [
  registerStation,
  registerServe,
  registerOpus,
  registerArchive,
  registerId,
  registerLink,
  registerSay,
  registerVoice,
  registerModel,
  registerTts,
  registerDoctor,
  registerHealth,
  registerConfig,
  registerCompletion,
];
