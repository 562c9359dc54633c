import type { CommandWords, Word } from "./command-tree.ts";
import { brief, quote, valuedFlags } from "./shell-table.ts";

const described = (words: readonly Word[]) =>
  words.map((each) => `${quote(each.text)}\\t${quote(brief(each))}`).join(" ");

/** A completion script for fish; it walks the words as the one for bash does, and shows what each means. */
export function fishScript(tree: readonly CommandWords[]): string {
  const cases = tree.map((entry) => {
    const valued = valuedFlags(entry).map(({ text }) => text);
    return `    case ${quote(entry.path)}
      set -g __longwave_commands ${described(entry.commands)}
      set -g __longwave_flags ${described(entry.flags)}
      set -g __longwave_valued ${valued.join(" ")}
      set -g __longwave_choices ${entry.choices.map(quote).join(" ")}`;
  });
  const values = tree.flatMap((entry) =>
    valuedFlags(entry)
      .filter(({ choices }) => choices.length > 0)
      .map(
        ({ text, choices }) =>
          `    case ${quote(`${entry.path} ${text}`)}\n      printf '%s\\n' ${choices.map(quote).join(" ")}`,
      ),
  );
  return `function __longwave_words
  switch "$argv[1]"
${cases.join("\n")}
  end
end
function __longwave_values
  switch "$argv[1]"
${values.join("\n")}
  end
end
function __longwave_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l at ''
  set -l flag ''
  set -l arguments 0
  __longwave_words ''
  for word in $words[2..-1]
    if test -n "$flag"
      set flag ''
    else if string match -q -- '-*' $word
      contains -- $word $__longwave_valued; and set flag $word
    else if test $arguments = 0; and contains -- $word (string split -f1 \\t -- $__longwave_commands)
      set at (string trim -- "$at $word")
      __longwave_words $at
    else
      set arguments 1
    end
  end
  if test -n "$flag"
    set -l values (__longwave_values "$at $flag")
    if test (count $values) -gt 0
      printf '%s\\n' $values
    else
      __fish_complete_path $current
    end
  else if string match -q -- '-*' $current
    printf '%s\\n' $__longwave_flags
  else if test (count $__longwave_choices) -gt 0
    printf '%s\\n' $__longwave_choices
  else if test $arguments = 0; and test (count $__longwave_commands) -gt 0
    printf '%s\\n' $__longwave_commands
  else
    __fish_complete_path $current
  end
end
complete -c longwave -f -a '(__longwave_complete)'`;
}
