import { readFileSync } from "node:fs";
import { isLongwaveError } from "@longwave/base";
import { systemErrorKind, systemReason } from "@longwave/base/node";
import { type BondConfig, loadConfig, parseSrpFile, type SrpOptions } from "@longwave/bond";
import { LinkError } from "./errors.ts";

/** Reads a configuration file, or all defaults without one; warnings go to standard error. */
export function readConfiguration(file: string | undefined): BondConfig {
  if (file === undefined) return loadConfig("", "defaults");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new LinkError(
      "link/no-config",
      systemErrorKind(cause),
      `Cannot read ${file}: ${systemReason(cause)}.`,
      {
        cause,
      },
    );
  }
  const config = loadConfig(text, file);
  for (const warning of config.warnings) process.stderr.write(`longwave: ${file}: ${warning}\n`);
  return config;
}

/** Who may call, from `--srp-file` or the configuration's `rist.srp_file`. */
export function readSrpUsers(file: string | undefined, config: BondConfig): SrpOptions {
  const path = file ?? (config.tables["rist"]!["srp_file"] as string | undefined);
  if (path === undefined) return {};
  try {
    return { srpUsers: parseSrpFile(readFileSync(path, "utf8"), path) };
  } catch (cause) {
    if (isLongwaveError(cause)) throw cause;
    throw new LinkError(
      "link/no-config",
      systemErrorKind(cause),
      `Cannot read ${path}: ${systemReason(cause)}.`,
      {
        cause,
      },
    );
  }
}

/** @throws LinkError `link/bad-profile` */
export function checkProfile(profile: string | undefined): "main" | "simple" | undefined {
  if (profile === undefined || profile === "main" || profile === "simple") return profile;
  throw new LinkError("link/bad-profile", "usage", `${profile} is no RIST profile; use main or simple.`);
}
