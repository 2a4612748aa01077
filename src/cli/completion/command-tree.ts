import type { Argument, Command, Option } from 'commander';

/** Possible next words: one of these, a path, or free text. */
export type Values =
  | { readonly kind: 'choices'; readonly choices: readonly string[] }
  | { readonly kind: 'files' }
  | { readonly kind: 'anything' };

export interface FlagWords {
  /** As it is typed, the long form first. */
  readonly names: readonly string[];
  readonly about: string;
  /** Null for a flag without a value. */
  readonly values: Values | null;
}

/** One command with what can be typed after it. */
export interface CommandWords {
  /** From the program's name on, such as `adit service install`. */
  readonly path: string;
  readonly about: string;
  readonly flags: readonly FlagWords[];
  readonly commands: readonly CommandWords[];
  readonly argument: Values | null;
}

const help: FlagWords = { names: ['--help', '-h'], about: 'print this help', values: null };
/** Names of values in `<…>` that are paths. */
const pathName = /<(file|folder|.*-file)>/;

/** Everything that can be typed, as the commands themselves declare it. */
export function commandWords(command: Command, parent = ''): CommandWords {
  const path = parent === '' ? command.name() : `${parent} ${command.name()}`;
  const [argument] = command.registeredArguments;
  return {
    path,
    about: command.summary() === '' ? (command.description().split('\n', 1)[0] ?? '') : command.summary(),
    flags: [...command.options.filter(({ hidden }) => !hidden).map(flagWords), help],
    commands: command.commands.map((child) => commandWords(child, path)),
    argument: argument === undefined ? null : argumentValues(argument),
  };
}

/** A command and all below it. */
export function everyCommand(words: CommandWords): readonly CommandWords[] {
  return [words, ...words.commands.flatMap(everyCommand)];
}

function flagWords(option: Option): FlagWords {
  const names = [option.long, option.short].filter((name) => name !== undefined);
  const takesValue = option.required || option.optional;
  return { names, about: option.description, values: takesValue ? valuesOf(option.argChoices, option.flags) : null };
}

function argumentValues(argument: Argument): Values {
  return valuesOf(argument.argChoices, `<${argument.name()}>`);
}

function valuesOf(choices: readonly string[] | undefined, text: string): Values {
  if (choices !== undefined) return { kind: 'choices', choices };
  return pathName.test(text) ? { kind: 'files' } : { kind: 'anything' };
}
