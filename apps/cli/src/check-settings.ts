import { access } from "node:fs/promises";
import { BaseError } from "@longwave/base";
import { systemReason } from "@longwave/base/node";
import { parseRistUri } from "@longwave/bond";
import { checkListen } from "@longwave/server";
import { ProofSigner, requireArchivePlace } from "@longwave/station/node";
import type { SettingName, Settings } from "./config.ts";
import { requireCatalogPlace } from "./open-station-catalog.ts";
import { corsOrigins } from "./station-options.ts";

/** A setting that a command would refuse, and why. */
export interface SettingProblem {
  readonly setting: SettingName;
  readonly says: string;
}

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
    ["catalog", () => text("catalog") && requireCatalogPlace(text("catalog")!, settings.catalog.from)],
    ["archive", () => text("archive") && requireArchivePlace(text("archive")!)],
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
