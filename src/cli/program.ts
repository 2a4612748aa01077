import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { SystemClock } from '../lib/clock.ts';
import { addCheckConfig } from './commands/check-config.ts';
import { addDemo } from './commands/demo.ts';
import { addKeygen } from './commands/keygen.ts';
import { addEdge } from './commands/edge.ts';
import { addStatus } from './commands/status.ts';
import { addRelay } from './commands/relay.ts';
import type { Terminal } from './terminal.ts';
import { addToken } from './commands/token.ts';
import { addUnrevoke } from './commands/unrevoke.ts';
import { addWhy } from './commands/why.ts';

/** The command line of adit. A usage error throws CommanderError after its message went to standard error. */
export function createProgram(terminal: Terminal): Command {
  const program = new Command('adit')
    .description(packageJson.description)
    .version(packageJson.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showHelpAfterError(helpHint('adit'))
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'adit: ')) })
    .exitOverride();
  const clock = new SystemClock();
  addRelay(program);
  addEdge(program);
  addDemo(program, terminal);
  addCheckConfig(program, terminal, clock);
  addStatus(program, terminal, clock);
  addWhy(program, terminal, clock);
  addUnrevoke(program, terminal);
  addKeygen(program, terminal, clock);
  addToken(program, terminal);
  for (const command of program.commands) command.showHelpAfterError(helpHint(`adit ${command.name()}`));
  return program;
}

function helpHint(command: string): string {
  return `(run '${command} --help' for what it takes)`;
}
