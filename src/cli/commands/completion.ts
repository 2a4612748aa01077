import { Argument, type Command } from 'commander';
import { commandWords } from '../completion/command-tree.ts';
import { completionScript, places, shells, type Shell } from '../completion/shell-scripts.ts';
import type { Terminal } from '../terminal.ts';

/** `wholeProgram` has every command with its flags. */
export function addCompletion(program: Command, terminal: Terminal, wholeProgram: () => Promise<Command>): void {
  const where = shells.map((shell) => `For ${shell} put it into ${places[shell]}.`).join('\n');
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'the shell that is to complete').choices(shells))
    .description(`Prints a script with which a shell completes commands, flags and their values.\n${where}`)
    .action(async (shell: Shell) => {
      terminal.out(completionScript(shell, commandWords(await wholeProgram())));
    });
}
