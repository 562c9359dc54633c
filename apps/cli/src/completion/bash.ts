import type { CommandWords } from "./command-tree.ts";
import { valuedFlags } from "./shell-table.ts";

const texts = (words: readonly { readonly text: string }[]) => words.map(({ text }) => text).join(" ");

/**
 * A completion script for bash. It walks the words before the cursor: a command leads to its own words, a flag that takes a
 * value swallows the next one, anything else is an argument.
 */
export function bashScript(tree: readonly CommandWords[]): string {
  const cases = tree.map((entry) => {
    const { path, commands, flags, choices } = entry;
    const valued = texts(valuedFlags(entry));
    return `    "${path}") commands="${texts(commands)}" flags="${texts(flags)}" valued="${valued}" choices="${choices.join(" ")}" ;;`;
  });
  const values = tree.flatMap((entry) =>
    valuedFlags(entry)
      .filter(({ choices }) => choices.length > 0)
      .map(({ text, choices }) => `    "${entry.path} ${text}") choices="${choices.join(" ")}" ;;`),
  );
  return `_longwave_words() {
  commands="" flags="" valued="" choices=""
  case "$1" in
${cases.join("\n")}
  esac
}
_longwave_values() {
  choices=""
  case "$1" in
${values.join("\n")}
  esac
}
_longwave() {
  local current="\${COMP_WORDS[COMP_CWORD]}" at="" flag="" arguments=0 word i IFS=$' \\t\\n'
  local commands flags valued choices
  _longwave_words ""
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [[ -n $flag ]]; then
      flag=""
    elif [[ $word == -* ]]; then
      [[ " $valued " == *" $word "* ]] && flag="$word"
    elif [[ $arguments == 0 && " $commands " == *" $word "* ]]; then
      at="\${at:+$at }$word"
      _longwave_words "$at"
    else
      arguments=1
    fi
  done
  if [[ $flag == "=" || $current == "=" ]]; then flag=""; fi
  if [[ -n $flag ]]; then
    _longwave_values "$at $flag"
    COMPREPLY=($(compgen -W "$choices" -- "$current"))
    [[ -n $choices ]] && return
  elif [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
    return
  else
    [[ $arguments == 0 ]] && choices="$choices $commands"
    COMPREPLY=($(compgen -W "$choices" -- "$current"))
    [[ -n \${choices// /} && \${#COMPREPLY[@]} -gt 0 ]] && return
    [[ -n \${commands} && $arguments == 0 ]] && return
  fi
  compopt -o filenames 2>/dev/null
  IFS=$'\\n'
  COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _longwave longwave`;
}
