import { TtsError } from "../errors.ts";

/** A value of the subset: scalars, lists of scalars, maps. */
export type YamlValue = null | boolean | number | string | YamlValue[] | YamlMap;
export interface YamlMap {
  readonly [key: string]: YamlValue;
}

interface Line {
  readonly indent: number;
  readonly text: string;
  readonly number: number;
}

const maxDepth = 16;

/**
 * Parses the part of YAML that model configurations use: maps by indentation, lists of scalars (`- x` or `[x, y]`), plain and quoted
 * scalars, comments. Anything else - anchors, tags, block text, tabs, duplicate keys - is an error, never a guess.
 * @throws TtsError `tts/config-invalid` with the line
 */
export function parseYaml(text: string, label = "configuration"): YamlMap {
  const fail = (line: number, reason: string): never => {
    throw new TtsError("tts/config-invalid", `${label}, line ${line}: ${reason}.`);
  };
  const lines: Line[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const content = stripComment(raw).trimEnd();
    if (content.trim() === "" || (index === 0 && content === "---")) continue;
    const indent = content.length - content.trimStart().length;
    if (content.slice(0, indent).includes("\t")) fail(index + 1, "tabs cannot indent");
    lines.push({ indent, text: content.slice(indent), number: index + 1 });
  }
  let at = 0;

  const parseMap = (indent: number, depth: number): YamlMap => {
    if (depth > maxDepth) fail(lines[at]!.number, `more than ${maxDepth} levels`);
    const map: Record<string, YamlValue> = Object.create(null);
    for (let line = lines[at]; line !== undefined && line.indent === indent; line = lines[at]) {
      const match = /^([A-Za-z_][\w-]*):(?:\s+(.*))?$/.exec(line.text);
      if (match === null) return fail(line.number, `"${line.text.slice(0, 60)}" is not "key: value"`);
      const key = match[1]!;
      if (key in map) fail(line.number, `"${key}" appears twice`);
      at++;
      map[key] = match[2] === undefined ? parseBlock(indent, depth) : parseValue(match[2], line.number);
    }
    if (lines[at] !== undefined && lines[at]!.indent > indent)
      fail(lines[at]!.number, "unexpected indentation");
    return { ...map };
  };

  const parseBlock = (indent: number, depth: number): YamlValue => {
    const line = lines[at];
    if (line === undefined) return null;
    if (line.text.startsWith("- ") && line.indent >= indent) {
      const list: YamlValue[] = [];
      for (
        let item = lines[at];
        item?.indent === line.indent && item.text.startsWith("- ");
        item = lines[at]
      ) {
        list.push(parseScalar(item.text.slice(2).trim(), item.number));
        at++;
      }
      return list;
    }
    return line.indent > indent ? parseMap(line.indent, depth + 1) : null;
  };

  const parseValue = (value: string, line: number): YamlValue => {
    if (!value.startsWith("[")) return parseScalar(value, line);
    if (!value.endsWith("]")) return fail(line, "the list does not end on its line");
    const inside = value.slice(1, -1).trim();
    return inside === "" ? [] : inside.split(",").map((each) => parseScalar(each.trim(), line));
  };

  const parseScalar = (value: string, line: number): YamlValue => {
    if (value === "" || value === "~" || value === "null") return null;
    if (value === "true" || value === "false") return value === "true";
    if (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(value)) return Number(value);
    const quoted = /^"([^"\\]*)"$|^'([^']*)'$/.exec(value);
    if (quoted !== null) return quoted[1] ?? quoted[2] ?? "";
    if (/^["'&*!|>%@`{}[\]]/.test(value))
      return fail(line, `"${value.slice(0, 60)}" is beyond the YAML that is read here`);
    return value;
  };

  if (lines.length === 0) return fail(1, "there is nothing in it");
  if (lines[0]!.indent !== 0) fail(lines[0]!.number, "the first key must not be indented");
  const map = parseMap(0, 0);
  if (at < lines.length) fail(lines[at]!.number, "unexpected indentation");
  return map;
}

/** Cuts a comment: `#` at the start or after a space, outside quotes. */
function stripComment(line: string): string {
  let quote = "";
  for (let i = 0; i < line.length; i++) {
    const character = line[i]!;
    if (quote !== "") {
      if (character === quote) quote = "";
    } else if (character === '"' || character === "'") quote = character;
    else if (character === "#" && (i === 0 || /\s/.test(line[i - 1]!))) return line.slice(0, i);
  }
  return line;
}
