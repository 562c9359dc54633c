// The TypeScript snippets of README, guides and design pages as files: npm run check compiles them, examples/test/guides.test.ts runs those
// that are marked. A comment before the fence, invisible on the page, says what a snippet takes for given, and whether it
// runs as it stands in a folder with song.wav, excerpt.wav and talk.opus:
//   <!-- given: const samples = new Float32Array(2048); -->     <!-- run, given: ... -->     <!-- run -->
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** All snippets: document, line of the first line, code with what is given in front, and whether it runs. */
export function listSnippets() {
  const documents = [
    "README.md",
    ...["docs/guide", "docs/design"].flatMap((folder) =>
      readdirSync(root + folder)
        .filter((name) => name.endsWith(".md"))
        .sort()
        .map((name) => `${folder}/${name}`),
    ),
  ];
  return documents.flatMap((document) => snippetsOf(document, readFileSync(`${root}${document}`, "utf8")));
}

export function snippetsOf(document, markdown) {
  const fences = /(?:<!-- (run)?(?:,? ?given: (.*?))? -->\n)?```ts\n(.*?)```/gs;
  return [...markdown.matchAll(fences)].map((match) => {
    const [whole, run, given = "", code] = match;
    const line = markdown.slice(0, match.index + whole.length - code.length - 3).split("\n").length;
    return { document, line, runs: run !== undefined, given: given.replaceAll("\n", " ").trim(), code };
  });
}

/** Writes every snippet so that its lines have the numbers that they have in the document; returns the files. */
export function writeSnippets(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return listSnippets().map((snippet) => {
    const file = `${folder}/${snippet.document.replaceAll("/", "~")}~${snippet.line}.ts`;
    const start = `export {}; ${snippet.given}`;
    writeFileSync(file, `${start}${"\n".repeat(snippet.line - 1)}${snippet.code}`);
    return { ...snippet, file };
  });
}
