import { Option, type Command } from 'commander';

/** A warning on standard error when the command gets a secret in this flag: `ps` shows it to every user. */
export function warnOfVisibleSecret(command: Command, flag: string, instead: string): Command {
  const name = new Option(`${flag} <secret>`).attributeName();
  return command.hook('preAction', (_command, action) => {
    if (action.getOptionValueSource(name) !== 'cli') return;
    action.configureOutput().writeErr?.(`adit: warning: other users can see ${flag} in the process list; ${instead}\n`);
  });
}
