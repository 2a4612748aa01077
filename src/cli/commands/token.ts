import { Option, type Command } from 'commander';
import { AppError } from '../../lib/app-error.ts';
import { computeBindToken, isHex64 } from '../../protocol/tunnel/bind-token.ts';
import { DIRECTIONS, type Direction } from '../../protocol/tunnel/leg.ts';
import { parseTunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { Terminal } from '../terminal.ts';

interface TokenOptions {
  readonly secret: string;
  readonly tunnel: string;
  readonly direction?: Direction;
}

export function addToken(program: Command, terminal: Terminal): void {
  program
    .command('token')
    .description(
      'Prints the token with which an edge binds a tunnel: HMAC-SHA256 of "<tunnel>:<direction>" under the bind ' +
        'secret.\n' +
        'One token a line: the named direction, or ingress and then egress.',
    )
    .addOption(
      new Option(
        '--secret <hex>',
        'the bind secret, 64 hex digits; other users see it here, and not in the environment',
      )
        .env('ADIT_BIND_SECRET')
        .makeOptionMandatory(),
    )
    .requiredOption('--tunnel <uuid>', 'the tunnel id')
    .addOption(new Option('--direction <direction>', 'one direction only').choices(DIRECTIONS))
    .action((options: TokenOptions) => {
      for (const token of tokens(options)) terminal.out(`${token}\n`);
    });
}

function tokens({ secret, tunnel, direction }: TokenOptions): string[] {
  const id = parseTunnelId(tunnel);
  const problems = [
    ...(isHex64(secret) ? [] : ['--secret: must be 64 hex digits']),
    ...(id === null ? [`--tunnel ${tunnel}: must be a UUID`] : []),
  ];
  if (id === null || problems.length > 0) throw new AppError('config-invalid', problems.join('\n'));
  const directions: readonly Direction[] = direction === undefined ? ['ingress', 'egress'] : [direction];
  return directions.map((each) => computeBindToken(secret, id, each));
}
