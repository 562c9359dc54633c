import type { CommandWords, Word } from "./command-tree.ts";
import { brief, quote, valuedFlags } from "./shell-table.ts";

/** Words as `_describe` takes them: `word:description`, a colon within written with a backslash. */
const described = (words: readonly Word[]) =>
  words.map((each) => quote(`${each.text.replaceAll(":", "\\:")}:${brief(each)}`)).join(" ");

/** A completion script for zsh; it walks the words as the one for bash does, and shows what each means. */
export function zshScript(tree: readonly CommandWords[]): string {
  const cases = tree.map((entry) => {
    const valued = valuedFlags(entry).map(({ text }) => text);
    return `    ${quote(entry.path)})
      commands=(${described(entry.commands)})
      flags=(${described(entry.flags)})
      valued=(${valued.join(" ")}) choices=(${entry.choices.map(quote).join(" ")}) ;;`;
  });
  const values = tree.flatMap((entry) =>
    valuedFlags(entry)
      .filter(({ choices }) => choices.length > 0)
      .map(
        ({ text, choices }) =>
          `    ${quote(`${entry.path} ${text}`)}) choices=(${choices.map(quote).join(" ")}) ;;`,
      ),
  );
  return `#compdef longwave
_longwave_words() {
  commands=() flags=() valued=() choices=()
  case "$1" in
${cases.join("\n")}
  esac
}
_longwave_values() {
  choices=()
  case "$1" in
${values.join("\n")}
  esac
}
_longwave() {
  local at="" flag="" word arguments=0 i
  local -a commands flags valued choices
  _longwave_words ""
  for ((i = 2; i < CURRENT; i++)); do
    word="\${words[i]}"
    if [[ -n $flag ]]; then
      flag=""
    elif [[ $word == -* ]]; then
      (( \${valued[(Ie)$word]} )) && flag="$word"
    elif [[ $arguments == 0 && -n \${(M)commands:#\${word}:*} ]]; then
      at="\${at:+$at }$word"
      _longwave_words "$at"
    else
      arguments=1
    fi
  done
  if [[ -n $flag ]]; then
    _longwave_values "$at $flag"
    if (( \${#choices} )); then compadd -- "\${choices[@]}"; else _files; fi
  elif [[ "\${words[CURRENT]}" == -* ]]; then
    _describe -o option flags
  elif (( \${#choices} )); then
    compadd -- "\${choices[@]}"
  elif [[ $arguments == 0 ]] && (( \${#commands} )); then
    _describe command commands
  else
    _files
  fi
}
if [[ "\${funcstack[1]}" == _longwave ]]; then _longwave "$@"; else compdef _longwave longwave; fi`;
}
