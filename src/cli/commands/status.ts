import process from 'node:process';
import { InvalidArgumentError, type Command } from 'commander';
import { z } from 'zod';
import { readySchema } from '../../admin/health-routes.ts';
import { flowStatsSchema } from '../../edge/admin/flow-schemas.ts';
import * as edge from '../../edge/admin/edge-schemas.ts';
import { AppError, errorMessage } from '../../lib/app-error.ts';
import { rfc3339, type Clock } from '../../lib/clock.ts';
import { managerHealthSchema } from '../../manager/views/health.ts';
import * as observer from '../../observer/admin/observer-schemas.ts';
import * as relay from '../../relay/admin/relay-schemas.ts';
import { addApiOptions, openApi, type ApiClient, type ApiFlags } from '../api-client.ts';
import { readManagerStatus } from '../manager-client.ts';
import { renderEdgeStatus, type EdgeStatus } from '../status/edge-status.ts';
import { renderManagerStatus, type ManagerStatus } from '../status/manager-status.ts';
import { renderObserverStatus, type ObserverStatus } from '../status/observer-status.ts';
import { renderRelayStatus, type RelayStatus } from '../status/relay-status.ts';
import { printable, type Terminal } from '../terminal.ts';

interface StatusFlags extends ApiFlags {
  readonly json?: true;
  readonly watch?: number | true;
}

type Status =
  | (RelayStatus & { readonly program: 'relay' })
  | (EdgeStatus & { readonly program: 'edge' })
  | (ObserverStatus & { readonly program: 'observer' })
  | (ManagerStatus & { readonly program: 'manager' });

const healthSchema = z.union([managerHealthSchema, relay.healthSchema, edge.healthSchema, observer.healthSchema]);
const defaultWatchSeconds = 2;
const clearScreen = '\x1b[H\x1b[2J';

export function addStatus(program: Command, terminal: Terminal, clock: Clock): void {
  const command = program
    .command('status')
    .description(
      'Asks a running program over its REST API, and prints a line about it and one for each leg (of a relay), ' +
        'each relay (of an edge), each process (of an observer), or each node and tunnel (of a manager). Status ' +
        '0 when it answers, whatever it answers.',
    )
    .option('--watch [seconds]', `show it again every ${defaultWatchSeconds} seconds, until Ctrl-C`, toSeconds)
    .option('--json', 'print what was read as JSON');
  addApiOptions(command).action(async (flags: StatusFlags) => {
    const api = await openApi(flags, process.env);
    const render = (status: Status): string =>
      flags.json === true ? `${JSON.stringify(status)}\n` : toText(status, terminal.width?.());
    if (flags.watch === undefined) {
      terminal.out(render(await readStatus(api, clock)));
      return;
    }
    const seconds = flags.watch === true ? defaultWatchSeconds : flags.watch;
    const clear = terminal.width === undefined || flags.json === true ? '' : clearScreen;
    // People look while nothing answers, so this goes on.
    const renderFailure = (error: unknown): string =>
      flags.json === true ? `${JSON.stringify({ error: errorMessage(error) })}\n` : `${errorMessage(error)}\n`;
    await watch(clock, seconds, async () => {
      terminal.out(`${clear}${await readStatus(api, clock).then(render, renderFailure)}`);
    });
  });
}

/** What the command prints without flags. Rejects with AppError. */
export async function statusText(api: ApiClient, clock: Clock): Promise<string> {
  return toText(await readStatus(api, clock), undefined);
}

async function watch(clock: Clock, seconds: number, show: () => Promise<void>): Promise<never> {
  for (;;) {
    await show();
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, seconds * 1000));
  }
}

async function readStatus(api: ApiClient, clock: Clock): Promise<Status> {
  const health = await ask(api, '/health', healthSchema);
  if ('program' in health) return { program: 'manager', ...(await readManagerStatus(api)) };
  if ('watched_pids' in health) {
    const agents = await ask(api, '/api/v1/agents', z.array(observer.agentSchema));
    return { program: 'observer', url: api.url, health, agents };
  }
  if (!('connected_edges' in health)) {
    const tunnels = await ask(api, '/api/v1/tunnels', z.array(edge.tunnelSchema));
    const flows = await ask(api, '/api/v1/flows', z.array(flowStatsSchema));
    return { program: 'edge', url: api.url, health, tunnels, flows };
  }
  const [readiness, stats, tunnels, refused] = await Promise.all([
    ask(api, '/ready', readySchema),
    ask(api, '/api/v1/stats', relay.statsSchema),
    ask(api, '/api/v1/tunnels', relay.tunnelsSchema),
    ask(api, '/api/v1/refusals', relay.refusalsSchema),
  ]);
  const at = rfc3339(clock.now());
  return { program: 'relay', url: api.url, health, readiness, stats, ...tunnels, ...refused, at };
}

async function ask<Schema extends z.ZodType>(api: ApiClient, path: string, schema: Schema): Promise<z.output<Schema>> {
  const answer = await api.get(path, schema);
  if (answer.kind === 'ok') return answer.body;
  throw new AppError('input-invalid', `${api.url}${path} is not there: is that a program of adit?`);
}

function toText(status: Status, width: number | undefined): string {
  switch (status.program) {
    case 'relay':
      return printable(renderRelayStatus(status, width));
    case 'edge':
      return printable(renderEdgeStatus(status, width));
    case 'observer':
      return printable(renderObserverStatus(status, width));
    case 'manager':
      return printable(renderManagerStatus(status, width));
  }
}

function toSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.1 && seconds <= 3600)) throw new InvalidArgumentError('It must be 0.1 to 3600.');
  return seconds;
}
