// Writes docs/reference from the program itself: every command's help, every setting, every HTTP route. With --check it writes nothing
// and exits with 1 where a page is not current. Needs npm run build.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const load = (path) => import(`${root}${path}`);
const { createProgram } = await load("apps/cli/dist/program.js");
const { loadCommands } = await load("apps/cli/dist/commands/index.js");
const { settingDefinitions } = await load("apps/cli/dist/config.js");
const { speechDefinitions } = await load("apps/cli/dist/speech/speech-settings.js");
const { jobsDefinitions } = await load("apps/cli/dist/jobs/jobs-settings.js");
const { createApp } = await load("apps/server/dist/index.js");
const { SpeechService, Tts, FormantEngine } = await load("packages/tts/dist/index.js");
const { VirtualClock } = await load("packages/base/dist/index.js");

const note = "<!-- Made by scripts/generate-reference.mjs; do not edit. -->\n";
const pages = {
  "cli.md": commandPage(createProgram(await loadCommands([]))),
  "settings.md": settingsPage(),
  "http.md": await httpPage(),
};
const check = process.argv.includes("--check");
let stale = 0;
mkdirSync(`${root}docs/reference`, { recursive: true });
for (const [name, text] of Object.entries(pages)) {
  const path = `${root}docs/reference/${name}`;
  if (existsSync(path) && readFileSync(path, "utf8") === text) continue;
  stale++;
  if (check) console.error(`docs/reference/${name} is not current; run node scripts/generate-reference.mjs`);
  else writeFileSync(path, text);
}
process.exit(check && stale > 0 ? 1 : 0);

function commandPage(program) {
  const parts = [note, "# Command line\n"];
  const visit = (command, path) => {
    const name = [...path, command.name()];
    const level = "#".repeat(Math.min(4, name.length + 1));
    parts.push(`${level} ${name.join(" ")}\n`, `\`\`\`text\n${helpOf(command)}\n\`\`\`\n`);
    for (const child of command.commands) visit(child, name);
  };
  visit(program, []);
  return `${parts.join("\n").trimEnd()}\n`;
}

function helpOf(command) {
  let text = "";
  for (let each = command; each !== null; each = each.parent) {
    each.configureOutput({
      writeOut: (piece) => {
        text += piece;
      },
      getOutHelpWidth: () => 100,
      getOutHasColors: () => false,
    });
  }
  command.outputHelp();
  return text.trim();
}

function settingsPage() {
  return `${note}
# Settings

Flag, then environment, then \`longwave.toml\`, then default; \`longwave config show --origin\` tells which. \`version = 1\` in the file says
which program it was written for; \`longwave config migrate\` brings an older one up to date.

| key | flag | environment | kind | default | |
| --- | --- | --- | --- | --- | --- |
${settingRows(settingDefinitions, "LONGWAVE_")}

## The table [tts]: speech
For \`station\`, \`serve\`, \`say\` and the other commands that speak.

| key | flag | environment | kind | default | |
| --- | --- | --- | --- | --- | --- |
${settingRows(speechDefinitions, "LONGWAVE_TTS_")}

## The table [jobs]: the job queue
For \`longwave jobs\`, and for what the console shows of it.

| key | flag | environment | kind | default | |
| --- | --- | --- | --- | --- | --- |
${settingRows(jobsDefinitions, "LONGWAVE_JOBS_", { url: "queue", backend: undefined })}
`;
}

/** @param flagNames where a flag has another name than its key, or none */
function settingRows(definitions, prefix, flagNames = {}) {
  const rows = Object.entries(definitions).map(([name, { kind, fallback, description, choices }]) => {
    const shown = fallback === undefined ? "" : `\`${fallback}\``;
    const flagName = name in flagNames ? flagNames[name] : name;
    const flag =
      flagName === undefined
        ? ""
        : `\`--${flagName.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}\``;
    const variable = prefix + name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    const values = choices === undefined ? "" : `: ${choices.join(", ")}`;
    return `| \`${name}\` | ${flag} | \`${variable}\` | ${kind} | ${shown} | ${description}${values} |`;
  });
  return rows.join("\n");
}

async function httpPage() {
  const speech = new SpeechService({
    workers: [new Tts({ engines: [new FormantEngine()] })],
    clock: new VirtualClock(),
  });
  const app = createApp({
    // Routes are described without being called: nothing of the host is used.
    host: { version: "", stations: new Map(), archive: {}, speech, notReady: () => undefined },
    token: undefined,
    loopback: true,
    corsOrigins: [],
    consoleDirectory: undefined,
  });
  const { paths } = await (await app.request("http://localhost/openapi.json")).json();
  const byTag = new Map();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const [tag] = operation.tags;
      byTag.set(tag, [...(byTag.get(tag) ?? []), { path, method, operation }]);
    }
  }
  const parts = [
    note,
    "# HTTP\n",
    "The running server describes itself at `/openapi.json` (OpenAPI 3.1). Errors are `application/problem+json` with a stable `code`.\n",
  ];
  for (const [tag, operations] of byTag) {
    parts.push(`## ${tag}\n`);
    for (const { path, method, operation } of operations) {
      parts.push(`### ${method.toUpperCase()} ${path}\n`, `${operation.summary}.\n`);
      for (const { name, in: place, description } of operation.parameters) {
        parts.push(`- \`${name}\` (${place}): ${description}`);
      }
      const body = operation.requestBody;
      if (body !== undefined)
        parts.push(`- body (${Object.keys(body.content).join(", ")}): ${body.description}`);
      const [status, answer] = Object.entries(operation.responses)[0];
      const types = Object.keys(answer.content ?? {}).join(", ");
      parts.push(`- answers ${status}${types === "" ? "" : ` (${types})`}: ${answer.description}\n`);
    }
  }
  return `${parts.join("\n").trimEnd()}\n`;
}
