import { readFileSync } from 'node:fs';
import process from 'node:process';
import { Option, type Command } from 'commander';
import { AppError } from '../../lib/app-error.ts';
import { computeBindToken, isHex64 } from '../../protocol/tunnel/bind-token.ts';
import { DIRECTIONS, type Direction } from '../../protocol/tunnel/leg.ts';
import { parseTunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { Terminal } from '../terminal.ts';
import { warnOfVisibleSecret } from '../visible-secret.ts';

interface TokenOptions {
  readonly secret?: string;
  readonly secretFile?: string;
  readonly tunnel: string;
  readonly direction?: Direction;
}

export function addToken(program: Command, terminal: Terminal): void {
  const command = program.command('token');
  warnOfVisibleSecret(command, '--secret', 'use --secret-file, or set ADIT_BIND_SECRET')
    .description(
      'Prints the token with which an edge binds a tunnel: HMAC-SHA256 of "<tunnel>:<direction>" under the bind ' +
        'secret.\n' +
        'One token a line: the named direction, or ingress and then egress.',
    )
    .option('--secret-file <file>', 'the bind secret, 64 hex digits, is in this file; - is standard input')
    .addOption(
      new Option('--secret <hex>', 'the bind secret itself, which other users see in the process list').env(
        'ADIT_BIND_SECRET',
      ),
    )
    .requiredOption('--tunnel <uuid>', 'the tunnel id')
    .addOption(new Option('--direction <direction>', 'one direction only').choices(DIRECTIONS))
    .action((options: TokenOptions) => {
      for (const token of tokens(options)) terminal.out(`${token}\n`);
    });
}

function tokens({ tunnel, direction, ...given }: TokenOptions): string[] {
  const secret = given.secretFile === undefined ? given.secret : readSecret(given.secretFile);
  const id = parseTunnelId(tunnel);
  const problems = [
    ...secretProblems(secret, given.secretFile === undefined ? '--secret' : '--secret-file'),
    ...(id === null ? [`--tunnel ${tunnel}: must be a UUID`] : []),
  ];
  if (secret === undefined || id === null || problems.length > 0)
    throw new AppError('config-invalid', problems.join('\n'));
  const directions: readonly Direction[] = direction === undefined ? ['ingress', 'egress'] : [direction];
  return directions.map((each) => computeBindToken(secret, id, each));
}

function secretProblems(secret: string | undefined, flag: string): string[] {
  if (secret === undefined) return ['the bind secret is missing: use --secret-file (- is standard input)'];
  return isHex64(secret) ? [] : [`${flag}: must be 64 hex digits`];
}

function readSecret(file: string): string {
  try {
    return readFileSync(file === '-' ? process.stdin.fd : file, 'utf8').trim();
  } catch (cause) {
    throw new AppError('config-invalid', `--secret-file ${file}: cannot be read`, { cause });
  }
}
