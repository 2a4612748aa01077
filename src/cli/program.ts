import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { SystemClock } from '../lib/clock.ts';
import { addCheckConfig } from './check-config.ts';
import { addDemo } from './demo/run-demo.ts';
import { addKeygen } from './keygen.ts';
import { addEdge } from './run-edge.ts';
import { addStatus } from './status.ts';
import { addRelay } from './run-relay.ts';
import type { Terminal } from './terminal.ts';
import { addToken } from './token.ts';
import { addUnrevoke } from './unrevoke.ts';
import { addWhy } from './why.ts';

/** The command line of adit. A usage error throws CommanderError after its message went to standard error. */
export function createProgram(terminal: Terminal): Command {
  const program = new Command('adit')
    .description(packageJson.description)
    .version(packageJson.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showHelpAfterError("(run 'adit --help' for what it takes)")
    .exitOverride();
  const clock = new SystemClock();
  addRelay(program);
  addEdge(program);
  addDemo(program, terminal);
  addCheckConfig(program, terminal, clock);
  addStatus(program, terminal, clock);
  addWhy(program, terminal, clock);
  addUnrevoke(program, terminal);
  addKeygen(program, terminal);
  addToken(program, terminal);
  return program;
}
