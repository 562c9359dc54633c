/** A log entry's severity, least first. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** What libraries tell their surroundings; they never print. Every hook is optional and must not throw. */
export interface Hooks {
  log?(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** A measurement; counters pass increments. `name` is snake_case with its unit, for example `bond_rtt_us`. */
  metric?(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
  /** A finished span of work, times on the monotonic clock in microseconds. */
  trace?(name: string, startUs: number, endUs: number, fields?: Readonly<Record<string, unknown>>): void;
}

/** Hooks that do nothing. */
export const silentHooks: Hooks = {};
