/** One figure against its target. */
export interface TargetRow {
  readonly name: string;
  readonly target: string;
  readonly figure: string;
  readonly note: string;
  /** Undefined where there is no target. */
  readonly isMet: boolean | undefined;
}

/** Prints rows of a Markdown table as they come, and remembers them. */
export class TargetTable {
  readonly rows: TargetRow[] = [];
  readonly #isQuiet: boolean;

  constructor(isQuiet: boolean) {
    this.#isQuiet = isQuiet;
  }

  heading(title: string, note: string): void {
    if (this.#isQuiet) return;
    console.log(`\n| ${title} | target | figure | ${note} | |\n| --- | --- | --- | --- | --- |`);
  }

  add(name: string, target: string, figure: string, note = "", isMet?: boolean): void {
    this.rows.push({ name, target, figure, note, isMet });
    if (this.#isQuiet) return;
    const verdict = isMet === undefined ? "" : isMet ? "ok" : "MISSED";
    console.log(`| ${name} | ${target} | ${figure} | ${note} | ${verdict} |`);
  }

  /** A figure that may not exceed its limit. */
  atMost(name: string, value: number, limit: number, show: (value: number) => string, note = ""): void {
    this.add(name, `<= ${show(limit)}`, show(value), note, value <= limit);
  }

  get missed(): number {
    return this.rows.filter((row) => row.isMet === false).length;
  }
}
