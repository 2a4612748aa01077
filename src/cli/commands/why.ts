import process from 'node:process';
import { InvalidArgumentError, type Command } from 'commander';
import { z } from 'zod';
import { tunnelFactsSchema as edgeFactsSchema } from '../../edge/admin/edge-schemas.ts';
import type { FlowFacts } from '../../edge/admin/flow-schemas.ts';
import { programFactsSchema, type ProgramFacts } from '../../admin/program-facts.ts';
import { AppError } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import * as observer from '../../observer/admin/observer-schemas.ts';
import { tunnelFactsSchema as relayFactsSchema } from '../../relay/admin/relay-schemas.ts';
import { addApiOptions, openApi, type ApiClient, type ApiFlags } from '../api-client.ts';
import { explainAtManager, isManager, type ManagedTunnel } from '../manager-client.ts';
import { printable, type Terminal } from '../terminal.ts';
import { explainAgent } from '../why/explain-agent.ts';
import { explainAtEdge } from '../why/explain-edge.ts';
import { explainFlow } from '../why/explain-flow.ts';
import { explainProgram } from '../why/explain-program.ts';
import { explainAtRelay } from '../why/explain-relay.ts';
import { findingLines, hasProblem, problemFound, type Finding } from '../why/finding.ts';
import { askFlowFacts, whichFlows, type NamedFlow } from '../why/which-flows.ts';
import { whichTunnels, type NamedTunnel } from '../why/which-tunnels.ts';

interface WhyFlags extends ApiFlags {
  readonly json?: true;
  readonly seconds: number;
}

const factsSchema = z.union([relayFactsSchema, edgeFactsSchema]);
type Facts = z.output<typeof factsSchema>;

/** What was found about one tunnel, one media flow, or the program that has them. */
type Answer = {
  readonly name: string | null;
  readonly findings: readonly Finding[];
} & ({ readonly tunnel_id: TunnelId } | { readonly flow_id: string } | { readonly program: ProgramFacts['program'] });

/** The tunnel, flow or process that the command explains. */
interface Subjects {
  readonly tunnels: readonly NamedTunnel[];
  readonly flows: readonly NamedFlow[];
}

export function addWhy(program: Command, terminal: Terminal, clock: Clock): void {
  const command = program
    .command('why')
    .argument('[subject]', 'a tunnel’s id or how that begins, or its name; a flow’s id or name; a pid; without it: all')
    .description(
      'Asks a running relay or edge about its tunnels, looks at their traffic for a moment, and says what is wrong: ' +
        'authorisation, a missing leg and since when, refusals, versions, the leg that loses packets or is slow, and ' +
        'what is dropped for which reason; at an edge also about its media flows. Asks an observer why a ' +
        'process is silent, and a manager about the tunnels of ' +
        'its fleet.\n' +
        `Status 0 when no problem was found, ${problemFound} when one was, 1 or 2 when it could not look.`,
    )
    .option('--seconds <number>', 'how long to look at the traffic', toSeconds, 2)
    .option('--json', 'print the findings as JSON');
  addApiOptions(command).action(async (wanted: string | undefined, flags: WhyFlags) => {
    const api = await openApi(flags, process.env);
    if (await isObserver(api)) {
      const agents = await explainAgents(api, wanted);
      show(terminal, flags, agents, agentText);
      return;
    }
    if (await isManager(api)) {
      const managed = await explainAtManager(api, wanted);
      show(
        terminal,
        flags,
        managed.toSorted((a, b) => gravity(a) - gravity(b)),
        toText,
      );
      return;
    }
    show(terminal, flags, await explainAll(api, wanted, flags, clock), toText);
  });
}

/** What the command prints of every tunnel or process. Rejects with AppError. */
export async function whyText(
  api: ApiClient,
  config: string | undefined,
  seconds: number,
  clock: Clock,
): Promise<string> {
  if (await isObserver(api)) return (await explainAgents(api, undefined)).map(agentText).join('\n');
  return (await explainAll(api, undefined, { config, seconds }, clock)).map(toText).join('\n');
}

/** The program itself comes first, because it stands behind much of what follows. Rejects with AppError. */
async function explainAll(
  api: ApiClient,
  wanted: string | undefined,
  { config, seconds }: { readonly config?: string | undefined; readonly seconds: number },
  clock: Clock,
): Promise<readonly Answer[]> {
  const itself = await explainItself(api);
  const mayBeNone = wanted === undefined && itself.length > 0;
  const subjects = await subjectsOf(wanted, api, config, mayBeNone);
  return [...itself, ...(await explain(api, subjects, seconds, clock))];
}

/** Nothing where all is well, and of an older program. */
async function explainItself(api: ApiClient): Promise<readonly Answer[]> {
  const answer = await api.get('/api/v1/why', programFactsSchema);
  if (answer.kind === 'not-found') return [];
  const findings = explainProgram(answer.body);
  return findings.length === 0 ? [] : [{ program: answer.body.program, name: null, findings }];
}

/** A name that a flow has is the flow's. Rejects with AppError `input-invalid` when nothing is meant. */
async function subjectsOf(
  wanted: string | undefined,
  api: ApiClient,
  config: string | undefined,
  mayBeNone: boolean,
): Promise<Subjects> {
  const flows = await whichFlows(wanted, api);
  if (wanted !== undefined && flows.length > 0) return { tunnels: [], flows };
  return { tunnels: await whichTunnels(wanted, api, config, mayBeNone || flows.length > 0), flows };
}

function show<T extends { readonly findings: readonly Finding[] }>(
  terminal: Terminal,
  flags: WhyFlags,
  answers: readonly T[],
  text: (answer: T) => string,
): void {
  terminal.out(flags.json === true ? `${JSON.stringify(answers, null, 2)}\n` : answers.map(text).join('\n'));
  if (answers.some(({ findings }) => hasProblem(findings))) terminal.exitWith?.(problemFound);
}

async function isObserver(api: ApiClient): Promise<boolean> {
  const answer = await api.get('/health', z.looseObject({}));
  return answer.kind === 'ok' && observer.healthSchema.safeParse(answer.body).success;
}

interface AgentAnswer {
  readonly pid: number;
  readonly label: string | null;
  readonly findings: readonly Finding[];
}

async function explainAgents(api: ApiClient, wanted: string | undefined): Promise<readonly AgentAnswer[]> {
  const pids = wanted === undefined ? await watchedPids(api) : [wanted];
  const answers: AgentAnswer[] = [];
  for (const pid of pids) {
    if (!/^\d{1,10}$/.test(pid))
      throw new AppError('config-invalid', `${pid} is no pid, and an observer has no tunnels`);
    const answer = await api.get(`/api/v1/agents/${pid}/why`, observer.agentFactsSchema);
    if (answer.kind === 'not-found') throw new AppError('input-invalid', `${api.url} knows nothing of pids`);
    answers.push({ pid: Number(pid), label: answer.body.agent?.label ?? null, findings: explainAgent(answer.body) });
  }
  return answers;
}

async function watchedPids(api: ApiClient): Promise<readonly string[]> {
  const answer = await api.get('/api/v1/agents', z.array(observer.agentSchema));
  return answer.kind === 'ok' ? answer.body.map(({ pid }) => String(pid)) : [];
}

function agentText({ pid, label, findings }: AgentAnswer): string {
  return printable(`pid ${pid}${label === null ? '' : ` (${label})`}\n${findingLines(findings)}`);
}

async function explain(
  api: ApiClient,
  { tunnels, flows }: Subjects,
  seconds: number,
  clock: Clock,
): Promise<readonly Answer[]> {
  const before: Facts[] = [];
  for (const { id } of tunnels) before.push(await askFacts(api, id));
  const flowsBefore: FlowFacts[] = [];
  for (const { id } of flows) flowsBefore.push(await askFlowFacts(api, id));
  await new Promise<void>((resolve) => void clock.setTimeout(resolve, seconds * 1000));
  const answers: Answer[] = [];
  for (const [index, { id, name }] of tunnels.entries()) {
    answers.push({ tunnel_id: id, name, findings: findingsOf(api, before[index], await askFacts(api, id)) });
  }
  for (const facts of flowsBefore) {
    const { flow_id: id, flow_name: name } = facts.flow;
    answers.push({ flow_id: id, name, findings: explainFlow(facts, await askFlowFacts(api, id)) });
  }
  return answers.toSorted((a, b) => gravity(a) - gravity(b));
}

function findingsOf(api: ApiClient, before: Facts | undefined, after: Facts): readonly Finding[] {
  if (before !== undefined && 'relay_version' in before && 'relay_version' in after)
    return explainAtRelay(before, after);
  if (before !== undefined && 'edge_version' in before && 'edge_version' in after) return explainAtEdge(before, after);
  throw new AppError('input-invalid', `${api.url} was a relay first and an edge then`);
}

async function askFacts(api: ApiClient, id: TunnelId): Promise<Facts> {
  const answer = await api.get(`/api/v1/tunnels/${id}/why`, factsSchema);
  if (answer.kind === 'ok') return answer.body;
  throw new AppError('input-invalid', `the edge at ${api.url} has no tunnel ${id}; adit status lists those it has`);
}

/** Tunnels with problems come first. */
function gravity(answer: { readonly findings: readonly Finding[] }): number {
  return hasProblem(answer.findings) ? 0 : 1;
}

function toText(answer: Answer | ManagedTunnel): string {
  const { name, findings } = answer;
  return printable(`${headOf(answer)}${name === null ? '' : ` (${name})`}\n${findingLines(findings)}`);
}

function headOf(answer: Answer | ManagedTunnel): string {
  if ('program' in answer) return `the ${answer.program} itself`;
  return 'flow_id' in answer ? `flow ${answer.flow_id}` : `tunnel ${answer.tunnel_id}`;
}

function toSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0 && seconds <= 60)) throw new InvalidArgumentError('It must be 0 to 60.');
  return seconds;
}
