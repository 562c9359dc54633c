import { verdict } from "../verdict.js";
import type { Outcome } from "./system.js";

/** A system and what it has answered so far. */
export interface Asked {
  readonly name: string;
  readonly description: string;
  /** Whether the targets are meant for it. */
  readonly isOurs: boolean;
  outcomes(): Outcome[];
}

type Row = Readonly<Record<string, string | number>>;

const isRight = ({ source, candidates }: Outcome) => source !== undefined && candidates[0]?.id === source;
const confidenceOf = ({ candidates }: Outcome) => candidates[0]?.confidence ?? Number.NEGATIVE_INFINITY;
const percent = (part: number, whole: number) => (whole === 0 ? Number.NaN : (100 * part) / whole);
const quantile = (sorted: readonly number[], share: number) =>
  sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
const ofSet = (outcomes: readonly Outcome[], set: Outcome["set"]) =>
  outcomes.filter((each) => each.set === set);

/** The least threshold that lets at most `share` of the negatives pass. */
function thresholdFor(negatives: readonly Outcome[], share: number): number {
  const sorted = negatives.map(confidenceOf).sort((a, b) => b - a);
  return sorted[Math.floor(share * sorted.length)] ?? Number.NEGATIVE_INFINITY;
}

/** Recall in per cent of a part of the queries. */
interface Recall {
  readonly n: number;
  readonly top: number;
  readonly atOne: number;
  readonly atTenth: number;
  readonly own: number;
  readonly wrong: number;
}

/** Measures recall at the thresholds that a system's own answers to the negatives set. */
function recallOf(outcomes: readonly Outcome[]): (list: readonly Outcome[]) => Recall {
  const negatives = ofSet(outcomes, "negative");
  const [one, tenth] = [thresholdFor(negatives, 0.01), thresholdFor(negatives, 0.001)];
  return (list) => {
    const share = (test: (each: Outcome) => boolean) => percent(list.filter(test).length, list.length);
    return {
      n: list.length,
      top: share(isRight),
      atOne: share((each) => isRight(each) && confidenceOf(each) > one),
      atTenth: share((each) => isRight(each) && confidenceOf(each) > tenth),
      own: share((each) => each.accepted && isRight(each)),
      wrong: share((each) => each.accepted && !isRight(each)),
    };
  };
}

/** A row of the tables: some of the queries, and the least recall at 1 % false accepts that is aimed at. */
interface Part {
  readonly name: string;
  readonly target?: number;
  has(each: Outcome): boolean;
}

const extremes = /^(tempo (0\.9|1\.1)|(pitch|speed) (0\.95|1\.05))$/;

/** Targets of the fingerprint specification, section 10. */
const parts: readonly Part[] = [
  { name: "all 34 conditions", target: 93, has: ({ set }) => set === "positive" },
  ...(
    [
      ["clean, codec", 99],
      ["tel, reverb, mic", 94],
      ["noise >= 5 dB", undefined],
      ["noise 0 dB", 85],
      ["noise -5 dB", 65],
      ["tempo", 90],
      ["pitch", 90],
      ["speed", 90],
    ] as const
  ).map(
    ([name, target]): Part => ({
      name,
      ...(target !== undefined && { target }),
      has: ({ set, group }) => set === "positive" && group === name,
    }),
  ),
  {
    name: "tempo +-10, pitch +-5, speed +-5 %",
    target: 90,
    has: ({ set, condition }) => set === "positive" && extremes.test(condition),
  },
  { name: "off the grid and combined", target: 90, has: ({ set }) => set === "off grid" },
  ...[3, 5, 10].map(
    (seconds): Part => ({
      name: `${seconds} s`,
      ...(seconds === 3 && { target: 88 }),
      has: (each) => each.set === "positive" && each.seconds === seconds,
    }),
  ),
  ...["music", "speech", "clip"].map(
    (kind): Part => ({
      name: kind === "clip" ? "licensed clips" : kind,
      has: (each) => each.set === "positive" && each.kind === kind,
    }),
  ),
];

/** Prints, for each system, recall by group and length at the thresholds that the negatives set, and the figures with a target. */
export function robustnessReport(asked: readonly Asked[], corpus: string, asJson: boolean): void {
  const systems = asked.map((each) => ({ ...each, outcomes: each.outcomes() }));
  const tables: { title: string; rows: Row[] }[] = [];
  for (const { name, description, outcomes, isOurs } of systems) {
    if (!isOurs) continue;
    const title = `${name} on the ${corpus}; ${description}; ${ofSet(outcomes, "negative").length} negatives`;
    tables.push({ title, rows: recallRows(outcomes) });
    tables.push({ title: `${name}: figures`, rows: figureRows(outcomes) });
    tables.push({ title: `${name}: predicted and observed false accepts`, rows: chanceRows(outcomes) });
  }
  const [first, ...others] = systems.filter(({ isOurs }) => isOurs);
  const costs = others.flatMap((each) => (first === undefined ? [] : [costRow(first, each)]));
  tables.push({ title: `what distractors cost, on the ${corpus}`, rows: costs });
  if (systems.length > 1) {
    const alike = onCommonQueries(systems);
    tables.push({
      title: `side by side on the ${corpus}: recall % at 1 % / 0.1 % false accepts`,
      rows: peerRows(alike),
    });
    tables.push({ title: "what was asked", rows: alike.map(summaryRow) });
  }
  if (asJson) {
    console.log(JSON.stringify({ corpus, tables }, null, 2));
    return;
  }
  for (const { title, rows } of tables) printTable(title, rows);
}

function recallRows(outcomes: readonly Outcome[]): Row[] {
  const recall = recallOf(outcomes);
  const conditions = [...new Set(ofSet(outcomes, "off grid").map(({ condition }) => condition))];
  const offGrid = conditions.map(
    (name): Part => ({
      name,
      has: ({ set, condition }) => set === "off grid" && condition === name,
    }),
  );
  // Without negatives nothing sets a threshold.
  const isTold = ofSet(outcomes, "negative").length > 0;
  return [...parts, ...offGrid].flatMap(({ name, target, has }) => {
    const { n, top, atOne, atTenth, own, wrong } = recall(outcomes.filter(has));
    if (n === 0) return [];
    return [
      {
        group: name,
        n,
        "top-1 %": top.toFixed(1),
        "at 1 % FA": atOne.toFixed(1),
        "at 0.1 % FA": atTenth.toFixed(1),
        "own decision %": own.toFixed(1),
        "wrong %": wrong.toFixed(1),
        target: target === undefined ? "" : `>= ${target}`,
        "": target === undefined || !isTold ? "" : verdict(atOne >= target),
      },
    ];
  });
}

type Measured = Omit<Asked, "outcomes"> & { readonly outcomes: Outcome[] };

/** Only what all systems were asked, so that a run that was cut off compares the same queries. */
function onCommonQueries(systems: readonly Measured[]): Measured[] {
  const key = ({ set, source, kind, start, condition, seconds }: Outcome) =>
    [set, source, kind, start, condition, seconds].join();
  const asked = systems.map(({ outcomes }) => new Set(outcomes.map(key)));
  return systems.map((each) => {
    const outcomes = each.outcomes.filter((outcome) => asked.every((keys) => keys.has(key(outcome))));
    return { ...each, outcomes };
  });
}

/** Points of recall that a larger catalog costs, over the queries that both were asked. */
function costRow(small: Measured, large: Measured): Row {
  const [base, larger] = onCommonQueries([small, large]) as [Measured, Measured];
  const before = recallOf(base.outcomes)(ofSet(base.outcomes, "positive"));
  const after = recallOf(larger.outcomes)(ofSet(larger.outcomes, "positive"));
  const hours = Number(/\+(\d+)h/.exec(larger.name)?.[1]);
  const most = hours <= 105 ? 3 : 6;
  const cost = before.atOne - after.atOne;
  const negatives = ofSet(larger.outcomes, "negative");
  const isTold = negatives.length >= 100 && hours >= 105;
  return {
    catalog: larger.description,
    "queries / negatives": `${after.n} / ${negatives.length}`,
    "top-1 %": `${before.top.toFixed(1)} -> ${after.top.toFixed(1)}`,
    "at 1 % FA": `${before.atOne.toFixed(1)} -> ${after.atOne.toFixed(1)}`,
    "own decision %": `${before.own.toFixed(1)} -> ${after.own.toFixed(1)}`,
    "false accepts of its own": negatives.filter((each) => each.accepted).length,
    "cost, points": cost.toFixed(1),
    target: hours >= 105 ? `<= ${most}` : "",
    "": isTold ? verdict(cost <= most) : "",
  };
}

function peerRows(systems: readonly Measured[]): Row[] {
  const measured = systems.map(({ name, outcomes }) => ({ name, outcomes, recall: recallOf(outcomes) }));
  return parts.flatMap(({ name, has }) => {
    const cells = measured.map((each) => ({ name: each.name, ...each.recall(each.outcomes.filter(has)) }));
    if (cells.every(({ n }) => n === 0)) return [];
    const both = ({ atOne, atTenth }: Recall) => `${atOne.toFixed(1)} / ${atTenth.toFixed(1)}`;
    return [
      {
        group: name,
        n: Math.max(...cells.map(({ n }) => n)),
        ...Object.fromEntries(cells.map((cell) => [cell.name, cell.n === 0 ? "" : both(cell)])),
      },
    ];
  });
}

function summaryRow({ name, description, outcomes }: Measured): Row {
  const [positives, negatives, covers] = [
    ofSet(outcomes, "positive"),
    ofSet(outcomes, "negative"),
    ofSet(outcomes, "cover"),
  ];
  const { top, own, wrong } = recallOf(outcomes)(positives);
  const accepted = (list: readonly Outcome[]) =>
    percent(list.filter((each) => each.accepted).length, list.length).toFixed(1);
  const mean = outcomes.reduce((sum, each) => sum + each.milliseconds, 0) / Math.max(1, outcomes.length);
  return {
    system: name,
    catalog: description,
    "queries / negatives / covers": `${positives.length} / ${negatives.length} / ${covers.length}`,
    "top-1 %": top.toFixed(1),
    "own decision %": own.toFixed(1),
    "wrong %": wrong.toFixed(1),
    "false accepts %": accepted(negatives),
    "covers accepted %": accepted(covers),
    "ms a query": mean.toFixed(0),
  };
}

function figureRows(outcomes: readonly Outcome[]): Row[] {
  const [negatives, covers] = [ofSet(outcomes, "negative"), ofSet(outcomes, "cover")];
  const right = [...ofSet(outcomes, "positive"), ...ofSet(outcomes, "off grid")].filter(
    (each) => each.accepted && isRight(each),
  );
  const best = (each: Outcome) => each.candidates[0]!;
  const errors = (figure: (each: Outcome) => number) => right.map(figure).sort((a, b) => a - b);
  const offset = errors((each) => Math.abs(best(each).offsetMs! - 1000 * each.start));
  const tempo = errors((each) => 100 * Math.abs(best(each).tempo! / each.tempo - 1));
  const cents = errors((each) => Math.abs(best(each).pitchCents! - 1200 * Math.log2(each.pitch)));
  const recall = recallOf(outcomes)(ofSet(outcomes, "positive"));
  const within = (sorted: readonly number[], most: number, unit: string): Row => {
    const inside = percent(sorted.filter((error) => error <= most).length, sorted.length);
    const value = `${quantile(sorted, 0.5).toFixed(2)} / ${quantile(sorted, 0.95).toFixed(2)} ${unit}; ${inside.toFixed(1)} %`;
    return { value, target: `95 % within ${most}`, "": sorted.length === 0 ? "" : verdict(inside >= 95) };
  };
  const share = (list: readonly Outcome[]) =>
    percent(list.filter((each) => each.accepted).length, list.length);
  const isEnough = negatives.length >= 3000;
  return [
    {
      figure: "recall at 0.1 % false accepts",
      value: `${recall.atTenth.toFixed(1)} %`,
      target: ">= 85, of 3,000 negatives",
      "": Number.isNaN(recall.atTenth) || !isEnough ? "" : verdict(recall.atTenth >= 85),
    },
    {
      figure: "false accepts by its own decision",
      value: `${negatives.filter((each) => each.accepted).length} of ${negatives.length}`,
      target: "",
      "": "",
    },
    {
      figure: "covers accepted",
      value: `${share(covers).toFixed(1)} % of ${covers.length}`,
      target: "<= 1",
      "": covers.length === 0 ? "" : verdict(share(covers) <= 1),
    },
    { figure: "offset error p50 / p95; within 20 ms", ...within(offset, 20, "ms") },
    { figure: "tempo error p50 / p95; within 0.5 %", ...within(tempo, 0.5, "%") },
    { figure: "pitch error p50 / p95; within 10 cents", ...within(cents, 10, "cents") },
  ];
}

/** How many negatives get a `pFalse` of at most what is predicted, by the length of the query. */
function chanceRows(outcomes: readonly Outcome[]): Row[] {
  const negatives = outcomes.filter(({ set }) => set === "negative" || set === "length");
  const lengths = [...new Set(negatives.map(({ seconds }) => seconds))].sort((a, b) => a - b);
  return lengths.flatMap((seconds) => {
    const own = negatives.filter((each) => each.seconds === seconds);
    return [0.1, 0.03, 0.01, 0.003, 0.001].map((predicted) => {
      const observed = own.filter(({ candidates }) => (candidates[0]?.pFalse ?? 1) <= predicted).length;
      const ratio = observed / own.length / predicted;
      // Where fewer than nine are expected, chance alone leaves a factor of three.
      const isTold = predicted * own.length >= 9;
      return {
        seconds,
        n: own.length,
        "pFalse at most": predicted,
        expected: (predicted * own.length).toFixed(1),
        observed,
        ratio: ratio.toFixed(2),
        target: isTold ? "1/3 to 3" : "",
        "": isTold ? verdict(ratio <= 3 && ratio >= 1 / 3) : "",
      };
    });
  });
}

function printTable(title: string, rows: readonly Row[]): void {
  if (rows.length === 0) return;
  const names = Object.keys(rows[0]!);
  console.log(`\n${title}\n\n| ${names.join(" | ")} |\n| ${names.map(() => "---").join(" | ")} |`);
  for (const each of rows) console.log(`| ${names.map((name) => each[name]).join(" | ")} |`);
}
