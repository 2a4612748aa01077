import { everyCommand, type CommandWords, type FlagWords, type Values } from './command-tree.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** A script that teaches a shell to complete the program; it starts no process when it completes. */
export function completionScript(shell: Shell, words: CommandWords): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](words);
}

/** Where a shell looks for the script by itself. */
export const places: Readonly<Record<Shell, string>> = {
  bash: '~/.local/share/bash-completion/completions/adit',
  zsh: 'a folder of $fpath, as _adit',
  fish: '~/.config/fish/completions/adit.fish',
};

function bashScript(words: CommandWords): string {
  return `# bash completion of ${words.path}
_${words.path}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} path=${words.path} word words='' files=''
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
    case "$path $word" in
${indent(6, pathCases(words))}
    esac
  done
${indent(2, valueCases(words, '$path $prev'))}
  if [ -n "$files" ]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$cur")
  else
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$words" -- "$cur")
  fi
}
complete -F _${words.path} ${words.path}
`;
}

function zshScript(words: CommandWords): string {
  return `#compdef ${words.path}
_${words.path}() {
  local cur=\${words[CURRENT]} prev=\${words[CURRENT - 1]} path_=${words.path} word offered='' files=''
  for word in "\${(@)words[2,CURRENT - 1]}"; do
    case "$path_ $word" in
${indent(
  6,
  pathCases(words).map((line) => line.replaceAll('path=', 'path_=')),
)}
    esac
  done
${indent(
  2,
  valueCases(words, '$path_ $prev').map((line) =>
    line.replaceAll('$path', '$path_').replaceAll('$path__', '$path_').replaceAll('words=', 'offered='),
  ),
)}
  if [[ -n "$files" ]]; then
    _files
  else
    compadd -- \${=offered}
  fi
}
if [[ "$funcstack[1]" = _${words.path} ]]; then _${words.path} "$@"; else compdef _${words.path} ${words.path}; fi
`;
}

/** Which words are commands, where they stand. */
function pathCases(words: CommandWords): string[] {
  return everyCommand(words)
    .slice(1)
    .map(({ path }) => `${quoted(path)}) path=${quoted(path)} ;;`);
}

/** First what follows a flag with a value, then what a command takes. */
function valueCases(words: CommandWords, subject: string): string[] {
  const commands = everyCommand(words);
  const afterFlags = commands.flatMap(({ path, flags }) =>
    flags.flatMap(({ names, values }) =>
      values === null
        ? []
        : [`${names.map((name) => quoted(`${path} ${name}`)).join(' | ')}) ${assigned(values, [])} ;;`],
    ),
  );
  const afterCommands = commands.map(({ path, flags, commands: children, argument }) => {
    const fixed = [...children.map((child) => lastWord(child.path)), ...flags.flatMap(({ names }) => names)];
    return `${quoted(path)}) ${assigned(argument, fixed)} ;;`;
  });
  return [
    `case "${subject}" in`,
    ...afterFlags.map((line) => `  ${line}`),
    '  *)',
    '    case "$path" in',
    ...afterCommands.map((line) => `      ${line}`),
    '    esac',
    // A path is completed unless a flag is begun.
    `    case "$cur" in -*) files='' ;; esac`,
    '    ;;',
    'esac',
  ];
}

function assigned(values: Values | null, fixed: readonly string[]): string {
  const words = [...(values?.kind === 'choices' ? values.choices : []), ...fixed];
  return `words=${quoted(words.join(' '))}${values?.kind === 'files' ? ' files=1' : ''}`;
}

function fishScript(words: CommandWords): string {
  const lines = everyCommand(words).flatMap((command) => [
    ...command.commands.map(
      (child) => `-n ${quoted(atCommand(command))} -f -a ${quoted(lastWord(child.path))} -d ${quoted(child.about)}`,
    ),
    ...(command.argument === null ? [] : [`-n ${quoted(atCommand(command))} ${fishValues(command.argument)}`]),
    ...command.flags.map((flag) => `-n ${quoted(atCommand(command))} ${fishFlag(flag)}`),
  ]);
  const complete = (rest: string): string => `complete -c ${words.path} ${rest}\n`;
  return [`# fish completion of ${words.path}\n`, ...['-e', ...lines].map(complete)].join('');
}

/** The words of the command have been typed, and no word of a command below it. */
function atCommand({ path, commands }: CommandWords): string {
  const typed = path
    .split(' ')
    .slice(1)
    .map((word) => `__fish_seen_subcommand_from ${word}`);
  const below = commands.map((child) => lastWord(child.path));
  const notBelow = below.length === 0 ? [] : [`not __fish_seen_subcommand_from ${below.join(' ')}`];
  const conditions = [...typed, ...notBelow];
  return conditions.length === 0 ? 'true' : conditions.join('; and ');
}

function fishFlag({ names, about, values }: FlagWords): string {
  const options = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const value = values === null ? '-f' : `-r ${fishValues(values)}`;
  return `${options.join(' ')} ${value} -d ${quoted(about)}`;
}

function fishValues(values: Values): string {
  if (values.kind === 'files') return '-F';
  return values.kind === 'choices' ? `-f -a ${quoted(values.choices.join(' '))}` : '-f';
}

function lastWord(path: string): string {
  return path.slice(path.lastIndexOf(' ') + 1);
}

function indent(spaces: number, lines: readonly string[]): string {
  return lines.map((line) => ' '.repeat(spaces) + line).join('\n');
}

/** As one word of any of the three shells. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", '’')}'`;
}
