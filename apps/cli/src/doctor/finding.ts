/** One thing that `longwave doctor` looked at. */
export interface Finding {
  readonly name: string;
  readonly state: "good" | "note" | "bad";
  readonly says: string;
}
