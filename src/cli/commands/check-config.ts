import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { checkEdgeFiles } from '../../edge/config/config-files.ts';
import { edgeSecretFiles, parseEdgeConfig } from '../../edge/config/edge-config.ts';
import { AppError } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import { formatProblem, type ConfigProblem } from '../../config/config-problem.ts';
import { exposedWarnings } from '../../config/exposed-secrets.ts';
import { readJsonFile } from '../../config/json-file.ts';
import { checkManagerFiles } from '../../manager/config/config-files.ts';
import { managerSecretFiles, parseManagerConfig } from '../../manager/config/manager-config.ts';
import { checkObserverFiles } from '../../observer/config/config-files.ts';
import { parseObserverConfig } from '../../observer/config/observer-config.ts';
import { observerSecretFiles } from '../../observer/config/observer-secret-files.ts';
import { checkRelayFiles } from '../../relay/config/config-files.ts';
import { relaySecretFiles, parseRelayConfig } from '../../relay/config/relay-config.ts';
import { named, programOf, type ProgramKind } from '../program-of-config.ts';
import type { Terminal } from '../terminal.ts';

interface Verdict {
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
}

export function addCheckConfig(program: Command, terminal: Terminal, clock: Clock): void {
  program
    .command('check-config')
    .argument('<file>', 'the config file of a relay, an edge, an observer or a manager')
    .addOption(
      new Option('--as <program>', 'what it is for, when the file does not show it').choices([
        ...['relay', 'edge', 'observer', 'manager'],
      ]),
    )
    .description(
      'Checks the config of a relay, an edge, an observer or a manager without starting it, the certificates ' +
        'and folders that it names included.\n' +
        'Every problem is reported at once. Status 0 when the program would start, 2 when not.',
    )
    .action(async (path: string, options: { readonly as?: ProgramKind }) => {
      const { kind, problems, warnings } = await checkFile(path, clock, options.as);
      terminal.out(warnings.map(warningLine).join(''));
      if (problems.length > 0) throw failure(path, problems);
      terminal.out(soundLine(path, kind));
    });
}

/** The command's report on a file, problems included. Rejects with AppError when the file cannot be read. */
export async function checkConfigText(path: string, clock: Clock): Promise<string> {
  const { kind, problems, warnings } = await checkFile(path, clock);
  const verdict = problems.length > 0 ? `${failure(path, problems).message}\n` : soundLine(path, kind);
  return `${warnings.map(warningLine).join('')}${verdict}`;
}

function warningLine(warning: ConfigProblem): string {
  return `warning: ${formatProblem(warning)}\n`;
}

function soundLine(path: string, kind: ProgramKind): string {
  return `${path} is a sound config of ${named(kind)}\n`;
}

async function checkFile(path: string, clock: Clock, as?: ProgramKind): Promise<Verdict & { kind: ProgramKind }> {
  const content = await readJsonFile(path);
  const kind = as ?? programOf(content);
  return { kind, ...(await check(kind, content, path, clock)) };
}

async function check(kind: ProgramKind, content: unknown, path: string, clock: Clock): Promise<Verdict> {
  const directory = dirname(resolve(path));
  if (kind === 'relay') {
    const parsed = parseRelayConfig(content, directory);
    if (parsed.kind === 'invalid') return { problems: parsed.problems, warnings: [] };
    return verdict(parsed, await checkRelayFiles(parsed.config, clock), relaySecretFiles(path, parsed.config));
  }
  if (kind === 'observer') {
    const parsed = parseObserverConfig(content, directory);
    if (parsed.kind === 'invalid') return { problems: parsed.problems, warnings: [] };
    return verdict(parsed, await checkObserverFiles(parsed.config), observerSecretFiles(path, parsed.config));
  }
  if (kind === 'manager') {
    const parsed = parseManagerConfig(content, directory);
    if (parsed.kind === 'invalid') return { problems: parsed.problems, warnings: [] };
    return verdict(parsed, await checkManagerFiles(parsed.config, clock), managerSecretFiles(path, parsed.config));
  }
  const parsed = parseEdgeConfig(content, { directory, hostname: hostname() });
  if (parsed.kind === 'invalid') return { problems: parsed.problems, warnings: [] };
  return verdict(parsed, await checkEdgeFiles(parsed.config), edgeSecretFiles(path, parsed.config));
}

function verdict(
  { warnings }: Pick<Verdict, 'warnings'>,
  problems: readonly ConfigProblem[],
  secretFiles: readonly string[],
): Verdict {
  return { problems, warnings: [...warnings, ...exposedWarnings(secretFiles)] };
}

function failure(path: string, problems: readonly ConfigProblem[]): AppError {
  return new AppError('config-invalid', [`${path}:`, ...problems.map(formatProblem)].join('\n  '));
}
