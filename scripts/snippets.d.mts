/** A TypeScript snippet of a document. */
export interface Snippet {
  readonly document: string;
  /** Line of its first line in the document. */
  readonly line: number;
  readonly runs: boolean;
  readonly given: string;
  readonly code: string;
}

export function listSnippets(): Snippet[];
export function snippetsOf(document: string, markdown: string): Snippet[];
export function writeSnippets(folder: string): (Snippet & { readonly file: string })[];
