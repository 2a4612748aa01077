import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { SystemClock, type Clock } from '../lib/clock.ts';
import type { Terminal } from './terminal.ts';

interface CommandContext {
  readonly terminal: Terminal;
  readonly clock: Clock;
}

interface CommandEntry {
  readonly name: string;
  /** The line of `adit --help`. */
  readonly summary: string;
  /** Loads the command's code and adds it with its flags. */
  readonly add: (program: Command, context: CommandContext) => Promise<void>;
}

/** In the order of `adit --help`. Nothing that a command needs is loaded for another one. */
const commands: readonly CommandEntry[] = [
  {
    name: 'relay',
    summary: 'run a relay: edges dial in, it pairs them and forwards between them',
    add: async (program) => (await import('./commands/relay.ts')).addRelay(program),
  },
  {
    name: 'edge',
    summary: 'run an edge: dial out to relays and carry local traffic through their tunnels',
    add: async (program) => (await import('./commands/edge.ts')).addEdge(program),
  },
  {
    name: 'observer',
    summary: 'watch local processes by the beats they send, and report those that fall silent',
    add: async (program) => (await import('./commands/observer.ts')).addObserver(program),
  },
  {
    name: 'manager',
    summary: 'run a manager: relays and edges dial it, people run their fleet with it',
    add: async (program, { terminal, clock }) =>
      (await import('./commands/manager.ts')).addManager(program, terminal, clock),
  },
  {
    name: 'demo',
    summary: 'watch a relay and two edges carry real traffic on this machine',
    add: async (program, { terminal }) => (await import('./commands/demo.ts')).addDemo(program, terminal),
  },
  {
    name: 'check-config',
    summary: 'say everything that is wrong with a config file, and how to mend it',
    add: async (program, { terminal, clock }) =>
      (await import('./commands/check-config.ts')).addCheckConfig(program, terminal, clock),
  },
  {
    name: 'status',
    summary: 'show the tunnels of a running relay, edge or manager, or the processes that an observer watches',
    add: async (program, { terminal, clock }) =>
      (await import('./commands/status.ts')).addStatus(program, terminal, clock),
  },
  {
    name: 'why',
    summary: 'say in plain words why a tunnel carries no traffic, or why a process is silent',
    add: async (program, { terminal, clock }) => (await import('./commands/why.ts')).addWhy(program, terminal, clock),
  },
  {
    name: 'probe',
    summary: 'look at a relay from here before it is needed: port, certificate, loss, largest datagram',
    add: async (program, { terminal, clock }) =>
      (await import('./commands/probe.ts')).addProbe(program, terminal, clock),
  },
  {
    name: 'diag',
    summary: 'write a bundle without secrets, to hand to whoever helps',
    add: async (program, { terminal, clock }) => (await import('./commands/diag.ts')).addDiag(program, terminal, clock),
  },
  {
    name: 'service',
    summary: 'install programs as services, switch between installed versions, go back',
    add: async (program, { terminal }) => (await import('./commands/service.ts')).addService(program, terminal),
  },
  {
    name: 'unrevoke',
    summary: 'let a tunnel bind again that a manager has revoked',
    add: async (program, { terminal }) => (await import('./commands/unrevoke.ts')).addUnrevoke(program, terminal),
  },
  {
    name: 'keygen',
    summary: 'make a new tunnel: its id, its secrets and ready config for the relay and both edges',
    add: async (program, { terminal, clock }) =>
      (await import('./commands/keygen.ts')).addKeygen(program, terminal, clock),
  },
  {
    name: 'token',
    summary: "print a tunnel's bind tokens",
    add: async (program, { terminal }) => (await import('./commands/token.ts')).addToken(program, terminal),
  },
  {
    name: 'completion',
    summary: 'print a script with which bash, zsh or fish completes all this',
    add: async (program, { terminal }) =>
      (await import('./commands/completion.ts')).addCompletion(program, terminal, () =>
        createProgram(terminal, commandNames),
      ),
  },
  {
    name: 'version',
    summary: 'print the version',
    add: (program, { terminal }) => {
      addVersion(program, terminal);
      return Promise.resolve();
    },
  },
];

/** `adit version`, as people type it; the flag is commander's own. */
function addVersion(program: Command, terminal: Terminal): void {
  program
    .command('version')
    .description('Prints the version.')
    .action(() => terminal.out(`${packageJson.version}\n`));
}

export const commandNames: readonly string[] = commands.map(({ name }) => name);

/**
 * The command line of adit, with the code of the commands that `args` name; of the others it knows name and summary.
 * A usage error throws CommanderError after its message went to standard error.
 */
export async function createProgram(terminal: Terminal, args: readonly string[]): Promise<Command> {
  const program = new Command('adit')
    .description(packageJson.description)
    .version(packageJson.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showHelpAfterError(helpHint('adit'))
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'adit: ')) })
    .exitOverride();
  const context = { terminal, clock: new SystemClock() };
  for (const { name, summary, add } of commands) {
    if (args.includes(name)) await add(program, context);
    else program.command(name);
    program.commands
      .at(-1)
      ?.summary(summary)
      .showHelpAfterError(helpHint(`adit ${name}`));
  }
  return program;
}

function helpHint(command: string): string {
  return `(run '${command} --help' for what it takes)`;
}
