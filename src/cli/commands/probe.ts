import { lookup } from 'node:dns/promises';
import { InvalidArgumentError, Option, type Command } from 'commander';
import packageJson from '../../../package.json' with { type: 'json' };
import { AppError, errorMessage } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import { formatHostPort } from '../../lib/host-port.ts';
import { createLogger } from '../../lib/logger.ts';
import { SystemRandom } from '../../lib/random.ts';
import { probeRelay, type ProbeDependencies, type ProbeFacts } from '../../probe/probe-relay.ts';
import { createEngine, type EngineChoice } from '../../quic/engine.ts';
import { explainProbe, type ProbeAnswer } from '../probe/explain-probe.ts';
import { probeJson } from '../probe/probe-json.ts';
import { probeTargets, type ProbeFlags, type WantedRelay } from '../probe/probe-targets.ts';
import { printable, type Terminal } from '../terminal.ts';
import { srtDatagramBytes } from '../why/largest-payload.ts';
import { findingLines, hasProblem, problemFound } from '../why/finding.ts';

interface Flags extends ProbeFlags {
  readonly payload: number;
  readonly seconds: number;
  readonly engine: EngineChoice;
  readonly json?: true;
}

export function addProbe(program: Command, terminal: Terminal, clock: Clock): void {
  program
    .command('probe')
    .argument('[host:port]', 'the relay, such as relay.example:4433; with --config, the relays of that edge')
    .description(
      'Looks at a relay from this machine before it is needed: the name, UDP both ways, whether the port is ' +
        'closed or filtered, the certificate, round trip and loss, and the largest datagram. Binds no tunnel ' +
        'and needs no secret.\n' +
        `Status 0 when all is well, ${problemFound} when a problem was found, 1 or 2 when it could not look.`,
    )
    .option('-c, --config <file>', 'the config of an edge: probes its relays, each with the proof that it asks for')
    .option('--pin <sha256>', 'the certificate or key_pin that the relay must have, as its start-up line prints it')
    .option('--ca <file>', 'the CA (PEM) that must vouch for the host name')
    .option('--payload <bytes>', 'the largest datagram that will be sent', toPayload, srtDatagramBytes)
    .option('--seconds <number>', 'how long each address is pinged', toSeconds, 3)
    .addOption(new Option('--engine <name>', 'QUIC engine').choices(['auto', 'native', 'quiche']).default('auto'))
    .option('--json', 'print what was seen and found as JSON')
    .action(async (relay: string | undefined, flags: Flags) => {
      const targets = await probeTargets(relay, flags);
      const answers = await probeAll(targets, flags, clock);
      const text =
        flags.json === true ? `${JSON.stringify(answers.map(probeJson), null, 2)}\n` : answers.map(toText).join('\n');
      terminal.out(text);
      const findings = answers.flatMap(({ name, addresses }) => [name, ...addresses.map(({ findings }) => findings)]);
      if (findings.some(hasProblem)) terminal.exitWith?.(problemFound);
    });
}

async function probeAll(targets: readonly WantedRelay[], flags: Flags, clock: Clock): Promise<ProbeAnswer[]> {
  await using engines = new AsyncDisposableStack();
  const logger = createLogger({ level: 'silent' });
  const random = new SystemRandom();
  const open = async (choice: EngineChoice): ReturnType<typeof createEngine> => {
    const opened = await createEngine(choice, { clock, random, logger });
    engines.defer(() => opened.close());
    return opened;
  };
  const engine = await open(flags.engine);
  const certificateEngine = engine.name === 'quiche' ? engine : await open('quiche').catch(nullWhereUnavailable);
  const machine = { clock, random, logger, engine, certificateEngine, resolveHost };
  const dependencies: ProbeDependencies = { ...machine, softwareVersion: packageJson.version };
  const answers: ProbeAnswer[] = [];
  for (const target of targets) {
    const facts: ProbeFacts = await probeRelay({ ...target, durationMs: flags.seconds * 1000 }, dependencies);
    const expected = { payloadBytes: flags.payload, verify: target.verify.kind, nowMs: clock.now() };
    answers.push(explainProbe(facts, expected));
  }
  return answers;
}

/** It is needed only to show a certificate. */
function nullWhereUnavailable(error: unknown): null {
  if (error instanceof AppError && (error.code === 'engine-unavailable' || error.code === 'engine-unusable'))
    return null;
  throw error;
}

async function resolveHost(host: string): Promise<readonly string[]> {
  try {
    const found = await lookup(host, { all: true });
    return [...new Set(found.map(({ address }) => address))];
  } catch (cause) {
    throw new AppError('address-unavailable', resolverWords(cause));
  }
}

function resolverWords(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOTFOUND') return 'no such name, or no address for it';
  if (code === 'EAI_AGAIN') return 'no name server answers';
  return errorMessage(cause);
}

function toText({ facts, name, addresses }: ProbeAnswer): string {
  const parts = addresses.map(({ title, findings }) => `${title}\n${findingLines(findings)}`);
  return printable(`relay ${formatHostPort(facts.relay)}\n${findingLines(name)}${parts.join('')}`);
}

function toPayload(text: string): number {
  const bytes = Number(text);
  if (!(Number.isInteger(bytes) && bytes >= 0 && bytes <= 65_527))
    throw new InvalidArgumentError('It must be 0 to 65527.');
  return bytes;
}

/** A relay ends a connection that binds nothing after 10 s. */
function toSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.2 && seconds <= 7)) throw new InvalidArgumentError('It must be 0.2 to 7.');
  return seconds;
}
