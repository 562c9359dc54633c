import { LongwaveError } from "@longwave/base";

/** A configuration that cannot be used: `config/unreadable`, `config/malformed`, `config/unknown-key`, `config/bad-value`. */
export class ConfigError extends LongwaveError {
  override readonly name = "ConfigError";
}

/** A command line that cannot be followed: `cli/already-marked`, `cli/bad-argument`, `cli/check-failed`, `cli/payload`, `cli/watermark-key`. */
export class CliError extends LongwaveError {
  override readonly name = "CliError";
}
