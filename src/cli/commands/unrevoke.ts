import process from 'node:process';
import type { Command } from 'commander';
import { z } from 'zod';
import { AppError } from '../../lib/app-error.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import { addApiOptions, openApi, type ApiFlags } from '../api-client.ts';
import type { Terminal } from '../terminal.ts';
import { toTunnelId } from '../tunnel-argument.ts';

export function addUnrevoke(program: Command, terminal: Terminal): void {
  const command = program
    .command('unrevoke')
    .argument('<tunnel>', 'the tunnel id', toTunnelId)
    .description(
      "Lifts a manager's revocation of a tunnel on a running relay. The relay's config and its manager decide " +
        'again who may bind the tunnel. Needs the api_token of the relay.',
    );
  addApiOptions(command).action(async (id: TunnelId, flags: ApiFlags) => {
    const api = await openApi(flags, process.env);
    const answer = await api.delete(`/api/v1/tunnels/${id}/revocation`, z.object({ unrevoked: z.string() }));
    if (answer.kind === 'not-found') throw new AppError('input-invalid', `tunnel ${id} is not revoked at ${api.url}`);
    terminal.out(`${id} is no longer revoked\n`);
  });
}
