import process from 'node:process';
import { InvalidArgumentError, type Command } from 'commander';
import { z } from 'zod';
import { tunnelFactsSchema as edgeFactsSchema } from '../edge/admin/edge-schemas.ts';
import { AppError } from '../lib/app-error.ts';
import type { Clock } from '../lib/clock.ts';
import type { TunnelId } from '../protocol/tunnel-id.ts';
import { tunnelFactsSchema as relayFactsSchema } from '../relay/admin/relay-schemas.ts';
import { addApiOptions, openApi, type ApiClient, type ApiFlags } from './api-client.ts';
import { printable, type Terminal } from './terminal.ts';
import { toTunnelId } from './tunnel-argument.ts';
import { explainAtEdge } from './why/explain-edge.ts';
import { explainAtRelay } from './why/explain-relay.ts';
import type { Finding } from './why/finding.ts';

interface WhyFlags extends ApiFlags {
  readonly json?: true;
  readonly seconds: number;
}

const factsSchema = z.union([relayFactsSchema, edgeFactsSchema]);
type Facts = z.output<typeof factsSchema>;

const marks = { problem: '✗', note: '·', good: '✓' } as const;

export function addWhy(program: Command, terminal: Terminal, clock: Clock): void {
  const command = program
    .command('why')
    .argument('<tunnel>', 'the tunnel id', toTunnelId)
    .summary('say in plain words why a tunnel carries no traffic, or carries it badly')
    .description(
      'Asks a running relay or edge about one tunnel, looks at its traffic for a moment, and says what is wrong: ' +
        'authorisation, a missing leg and since when, refusals, versions, the leg that loses packets or is slow, and ' +
        'what is dropped for which reason.',
    )
    .option('--seconds <number>', 'how long to look at the traffic', toSeconds, 2)
    .option('--json', 'print the findings as JSON');
  addApiOptions(command).action(async (id: TunnelId, flags: WhyFlags) => {
    const findings = await explain(await openApi(flags, process.env), id, flags.seconds, clock);
    terminal.out(flags.json === true ? `${JSON.stringify(findings, null, 2)}\n` : findings.map(toText).join(''));
  });
}

async function explain(api: ApiClient, id: TunnelId, seconds: number, clock: Clock): Promise<readonly Finding[]> {
  const before = await askFacts(api, id);
  await new Promise<void>((resolve) => void clock.setTimeout(resolve, seconds * 1000));
  const after = await askFacts(api, id);
  if ('relay_version' in before && 'relay_version' in after) return explainAtRelay(before, after);
  if ('edge_version' in before && 'edge_version' in after) return explainAtEdge(before, after);
  throw new AppError('input-invalid', `${api.url} was a relay first and an edge then`);
}

async function askFacts(api: ApiClient, id: TunnelId): Promise<Facts> {
  const answer = await api.get(`/api/v1/tunnels/${id}/why`, factsSchema);
  if (answer.kind === 'ok') return answer.body;
  throw new AppError('input-invalid', `the edge at ${api.url} has no tunnel ${id}; adit status lists those it has`);
}

function toText({ level, text, remedy }: Finding): string {
  return printable(`${marks[level]} ${text}\n${remedy === null ? '' : `  → ${remedy}\n`}`);
}

function toSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0 && seconds <= 60)) throw new InvalidArgumentError('It must be 0 to 60.');
  return seconds;
}
