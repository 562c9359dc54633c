import { access } from "node:fs/promises";
import { BaseError } from "@longwave/base";
import { systemReason } from "@longwave/base/node";
import { parseRistUri } from "@longwave/bond";
import { checkListen } from "@longwave/server";
import { ProofSigner } from "@longwave/station/node";
import type { SettingName, Settings } from "./config.ts";
import { corsOrigins } from "./station-options.ts";

/** A setting that a command would refuse, and why. */
export interface SettingProblem {
  readonly setting: SettingName;
  readonly says: string;
}

const schemes: Partial<Record<SettingName, RegExp>> = {
  catalog: /^(postgres|postgresql|nats|https?)$/i,
  archive: /^s3$/i,
};

/**
 * What `station` would refuse when it starts, found without starting anything: nothing is bound, created or connected to.
 * Values of the wrong kind or out of range are refused before, by {@link resolveSettings}.
 */
export async function checkSettings(settings: Settings): Promise<SettingProblem[]> {
  const text = (name: SettingName) => settings[name].value as string | undefined;
  const checks: readonly [SettingName, () => unknown][] = [
    ["address", () => checkListen(text("address")!, settings.port.value as number, text("token"))],
    ["cors", () => corsOrigins(settings)],
    ["input", () => requireInput(text("input"))],
    ["catalog", () => requireScheme("catalog", text("catalog"))],
    ["archive", () => requireScheme("archive", text("archive"))],
    [
      "send",
      () =>
        text("send")
          ?.split(",")
          .map((each) => parseRistUri(each.trim())),
    ],
    ["texts", () => requireFile(text("texts"))],
    ["model", () => requireFile(text("model"))],
    ["signkey", () => text("signkey") && ProofSigner.open(text("signkey")!)],
  ];
  const problems: SettingProblem[] = [];
  for (const [setting, check] of checks) {
    try {
      await check();
    } catch (error) {
      problems.push({ setting, says: (error as Error).message });
    }
  }
  return problems;
}

function requireScheme(name: SettingName, place: string | undefined): void {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(place ?? "")?.[1];
  // One letter is a drive.
  if (scheme === undefined || scheme.length === 1) return;
  if (schemes[name]!.test(scheme)) {
    if (/^[^:]*:\/\/[^/]/.test(place!)) return;
    throw new BaseError(
      "config/bad-value",
      "usage",
      `${scheme}:// names no place; go on with a host or a bucket.`,
    );
  }
  throw new BaseError(
    "config/bad-value",
    "usage",
    `There is no ${name} at ${scheme}:; name a directory instead.`,
  );
}

async function requireInput(input: string | undefined): Promise<void> {
  if (input === undefined || input === "-") return;
  if (!/^(https?|rist):\/\//i.test(input)) return requireFile(input);
  if (!URL.canParse(input)) throw new BaseError("config/bad-value", "usage", "This is no address.");
  if (/^rist:/i.test(input)) parseRistUri(input);
}

async function requireFile(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  try {
    await access(path);
  } catch (cause) {
    const message = `Cannot read ${path}: ${systemReason(cause)}.`;
    throw new BaseError("config/bad-value", "usage", message, { cause });
  }
}
