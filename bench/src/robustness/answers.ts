import { appendFileSync, existsSync, readFileSync } from "node:fs";
import type { Outcome } from "./system.js";

interface Line {
  readonly shard: string;
  /** Every how manieth query of the shard was asked. */
  readonly every: number;
  readonly answers: Outcome[];
}

/** The answers of one system so far, a line of JSON for each shard, so that a run that was cut off goes on where it stopped. */
export class AnswerFile {
  readonly #path: string;
  readonly #every: number;
  readonly #shards = new Map<string, Outcome[]>();

  /** @param every only every how manieth query is asked; answers to all queries serve too */
  constructor(path: string, every: number) {
    this.#path = path;
    this.#every = every;
    if (!existsSync(path)) return;
    for (const text of readFileSync(path, "utf8").split("\n")) {
      if (text === "") continue;
      const line = JSON.parse(text) as Line;
      if (line.every === every) this.#shards.set(line.shard, line.answers);
      else if (line.every === 1 && !this.#shards.has(line.shard)) {
        this.#shards.set(
          line.shard,
          line.answers.filter((_, i) => i % every === 0),
        );
      }
    }
  }

  has(shard: string): boolean {
    return this.#shards.has(shard);
  }

  add(shard: string, answers: Outcome[]): void {
    this.#shards.set(shard, answers);
    appendFileSync(this.#path, `${JSON.stringify({ shard, every: this.#every, answers } satisfies Line)}\n`);
  }

  all(): Outcome[] {
    return [...this.#shards.values()].flat();
  }
}
