import type { TrackMatch } from "@longwave/catalog";
import type { QueryTruth } from "./corpus/corpus.js";
import type { StoredQuery } from "./corpus/query-store.js";

/** What the catalog answered to a query of the corpus. */
export interface Outcome extends QueryTruth {
  readonly set: StoredQuery["set"];
  readonly accepted: boolean;
  readonly candidates: readonly (Omit<TrackMatch, "track"> & { readonly id: string })[];
  readonly reason: string | undefined;
  readonly queryHashes: number;
  readonly milliseconds: number;
}

type Row = Readonly<Record<string, string | number>>;

const isRight = ({ source, candidates }: Outcome) => source !== undefined && candidates[0]?.id === source;
/** Significance: larger where a false accept is less probable. */
const scoreOf = ({ candidates }: Outcome) => -Math.log10(Math.max(1e-300, candidates[0]?.pFalse ?? 1));
const percent = (part: number, whole: number) => (whole === 0 ? Number.NaN : (100 * part) / whole);
const quantile = (sorted: readonly number[], share: number) =>
  sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;

/** The least threshold that lets at most `share` of the negatives pass. */
function thresholdFor(negatives: readonly Outcome[], share: number): number {
  const scores = negatives.map(scoreOf).sort((a, b) => b - a);
  return scores[Math.floor(share * scores.length)] ?? 0;
}

/** Targets of specs/fingerprint.md, section 10: group and least recall at 1 % false accepts. */
const targets: Readonly<Record<string, number>> = {
  all: 93,
  "clean, codec": 99,
  "tel, reverb, mic": 94,
  "noise 0 dB": 85,
  "noise -5 dB": 65,
  tempo: 90,
  pitch: 90,
  speed: 90,
  "off grid": 90,
  "3 s": 88,
};

/**
 * Prints recall by group at the thresholds that the negatives set, and the figures that have a target; of a peer the
 * recall alone.
 */
export function robustnessReport(
  outcomes: readonly Outcome[],
  heading: Readonly<Record<string, string>>,
  isPeer = false,
): void {
  const ofSet = (set: Outcome["set"]) => outcomes.filter((each) => each.set === set);
  const [positives, offGrid, negatives, covers] = [
    ofSet("positive"),
    ofSet("off grid"),
    ofSet("negative"),
    ofSet("cover"),
  ];
  const [atOne, atTenth] = [thresholdFor(negatives, 0.01), thresholdFor(negatives, 0.001)];
  const row = (name: string, list: readonly Outcome[]): Row => {
    const recall = (threshold: number) =>
      percent(list.filter((each) => isRight(each) && scoreOf(each) > threshold).length, list.length);
    const target = isPeer ? undefined : targets[name];
    const found = recall(atOne);
    return {
      group: name,
      n: list.length,
      "top-1 %": percent(list.filter(isRight).length, list.length).toFixed(1),
      "at 1 % FA": found.toFixed(1),
      "at 0.1 % FA": recall(atTenth).toFixed(1),
      "own decision %": percent(
        list.filter((each) => each.accepted && isRight(each)).length,
        list.length,
      ).toFixed(1),
      "wrong %": percent(list.filter((each) => each.accepted && !isRight(each)).length, list.length).toFixed(
        1,
      ),
      target: target ?? "",
      "": target === undefined ? "" : found >= target ? "ok" : "MISSED",
    };
  };
  const where = (test: (each: Outcome) => boolean) => positives.filter(test);
  const groups = [...new Set(positives.map((each) => each.group))];
  const rows = [
    row("all", positives),
    ...groups.map((group) =>
      row(
        group,
        where((each) => each.group === group),
      ),
    ),
    ...[3, 5, 10].map((seconds) =>
      row(
        `${seconds} s`,
        where((each) => each.seconds === seconds),
      ),
    ),
    ...["music", "speech", "clip"].map((kind) =>
      row(
        kind,
        where((each) => each.kind === kind),
      ),
    ),
    row("off grid", offGrid),
    ...[...new Set(offGrid.map((each) => each.condition))].map((name) =>
      row(
        name,
        offGrid.filter((each) => each.condition === name),
      ),
    ),
  ];
  const present = rows.filter(({ n }) => n !== 0);
  const figures = figuresOf(outcomes, positives, offGrid, negatives, covers, rows[0]!);
  if (process.argv.includes("--json")) {
    console.log(JSON.stringify({ ...heading, rows: present, ...(!isPeer && { figures }) }, null, 2));
    return;
  }
  console.log(
    `\n${Object.entries(heading)
      .map(([name, value]) => `${name}: ${value}`)
      .join("; ")}; ${negatives.length} negatives\n`,
  );
  printTable(present);
  if (isPeer) return;
  console.log("");
  printTable(figures);
}

function figuresOf(
  outcomes: readonly Outcome[],
  positives: readonly Outcome[],
  offGrid: readonly Outcome[],
  negatives: readonly Outcome[],
  covers: readonly Outcome[],
  all: Row,
): Row[] {
  const right = [...positives, ...offGrid].filter((each) => each.accepted && isRight(each));
  const best = (each: Outcome) => each.candidates[0]!;
  const sorted = (list: readonly Outcome[], figure: (each: Outcome) => number) =>
    list.map(figure).sort((a, b) => a - b);
  const offset = sorted(right, (each) => Math.abs(best(each).offsetMs - 1000 * each.start));
  const tempo = sorted(right, (each) => 100 * Math.abs(best(each).tempo / each.tempo - 1));
  const cents = sorted(right, (each) => Math.abs(best(each).pitchCents - 1200 * Math.log2(each.pitch)));
  const times = sorted(outcomes, (each) => each.milliseconds);
  const share = (list: readonly Outcome[]) =>
    percent(list.filter((each) => each.accepted).length, list.length);
  const line = (figure: string, value: string, target: string, isOk: boolean | undefined): Row => ({
    figure,
    value,
    target,
    // What was not asked yet is neither.
    "": isOk === undefined || value.includes("NaN") ? "" : isOk ? "ok" : "MISSED",
  });
  const two = (list: readonly number[]) =>
    `${quantile(list, 0.5).toFixed(2)} / ${quantile(list, 0.95).toFixed(2)}`;
  const rows = [
    line(
      "recall at 0.1 % false accepts",
      String(all["at 0.1 % FA"]),
      ">= 85",
      Number(all["at 0.1 % FA"]) >= 85,
    ),
    line(
      `covers accepted %, of ${covers.length}`,
      share(covers).toFixed(1),
      "<= 1",
      covers.length === 0 ? undefined : share(covers) <= 1,
    ),
    line("offset error p50 / p95 ms", two(offset), "p95 <= 20", quantile(offset, 0.95) <= 20),
    line("tempo error p50 / p95 %", two(tempo), "p95 <= 0.5", quantile(tempo, 0.95) <= 0.5),
    line("pitch error p50 / p95 cents", two(cents), "p95 <= 10", quantile(cents, 0.95) <= 10),
    line("query p50 / p95 ms, with extraction", two(times), "", undefined),
  ];
  for (const predicted of [0.1, 0.03, 0.01]) {
    const observed = negatives.filter((each) => scoreOf(each) >= -Math.log10(predicted)).length;
    const ratio = observed / negatives.length / predicted;
    // Three events say little: the ratio counts only where enough are expected.
    const isOk = predicted * negatives.length < 9 ? undefined : ratio <= 3 && ratio >= 1 / 3;
    rows.push(
      line(`negatives with pFalse <= ${predicted}`, `${observed} of ${negatives.length}`, "within x3", isOk),
    );
  }
  return rows;
}

function printTable(rows: readonly Row[]): void {
  if (rows.length === 0) return;
  const names = Object.keys(rows[0]!);
  console.log(`| ${names.join(" | ")} |\n| ${names.map(() => "---").join(" | ")} |`);
  for (const each of rows) console.log(`| ${names.map((name) => each[name]).join(" | ")} |`);
}
