import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Option, type Command } from 'commander';
import { parseTunnel } from '../../edge/config/edge-config.ts';
import { AppError } from '../../lib/app-error.ts';
import { formatProblem } from '../../config/config-problem.ts';
import type { Clock } from '../../lib/clock.ts';
import { SystemRandom } from '../../lib/random.ts';
import { TUNNEL_PROTOCOLS, type TunnelProtocol } from '../../protocol/tunnel/leg.ts';
import { certificateFingerprint, keepSelfSigned } from '../../quic/tls-material.ts';
import type { Terminal } from '../terminal.ts';
import { createTunnelKit, createTunnelSecrets, type TunnelKit, type TunnelPlan } from '../tunnel-kit.ts';

interface KeygenOptions {
  readonly name: string;
  readonly protocol: TunnelProtocol;
  readonly relay: readonly string[];
  readonly listen: string;
  readonly forward: string;
  readonly fingerprint?: string;
  readonly pin?: true;
  readonly out?: string;
}

const files = [
  ['relay.json', 'relay', 'on the relay (adit relay -c relay.json)'],
  ['edge-egress.json', 'egressEdge', 'on the side that has the source (adit edge -c edge-egress.json)'],
  ['edge-ingress.json', 'ingressEdge', 'on the side that has the destination (adit edge -c edge-ingress.json)'],
] as const satisfies readonly (readonly [string, keyof TunnelKit, string])[];

/** What lets an editor complete the keys of a file; lies beside it. */
const schemas = {
  relay: 'config.schema.json',
  egressEdge: 'edge.schema.json',
  ingressEdge: 'edge.schema.json',
} as const;
const installation = fileURLToPath(new URL('../../..', import.meta.url));

/** The flag that a key of a tunnel comes from; local_addr has one at each edge. */
const flags: Readonly<Record<string, string>> = {
  name: '--name',
  relay_addrs: '--relay',
  relay_fingerprint: '--fingerprint',
};

/** Where a relay looks for its certificate, from its config. */
const certificateFolder = 'certs';

export function addKeygen(program: Command, terminal: Terminal, clock: Clock): void {
  program
    .command('keygen')
    .description(
      'Makes a new tunnel and prints three config files that fit together: one for the relay and one for each ' +
        'edge.\n' +
        'The egress edge listens on --listen and pushes what arrives into the tunnel; the ingress edge forwards ' +
        'it to --forward.',
    )
    .option('--name <name>', 'what people call the tunnel', 'tunnel-1')
    .addOption(new Option('--protocol <protocol>', 'what it carries').choices(TUNNEL_PROTOCOLS).default('tcp'))
    .option('--relay <host:port...>', 'one relay, or two (primary first)', ['relay.example:4433'])
    .option('--listen <ip:port>', 'where the egress edge takes local traffic', '127.0.0.1:9000')
    .option('--forward <ip:port>', 'where the ingress edge sends it', '127.0.0.1:9001')
    .option('--fingerprint <sha256>', "the relay's certificate or key_pin, as its start-up line prints it")
    .option('--pin', 'have the edges trust only the certificate in certs/ of --out, which is made when there is none')
    .option('--out <folder>', 'write the three files there instead of printing them (existing files are kept)')
    .action((options: KeygenOptions) => keygen(options, terminal, clock));
}

async function keygen(options: KeygenOptions, terminal: Terminal, clock: Clock): Promise<void> {
  const { out, pin } = options;
  const secrets = createTunnelSecrets(new SystemRandom());
  const plan = toPlan(options);
  const kit = createTunnelKit(plan, secrets);
  const problems = [...flagProblems(kit), ...pinProblems(options)];
  if (problems.length > 0) throw new AppError('config-invalid', problems.join('\n'));
  if (out === undefined) {
    print(kit, terminal);
    return;
  }
  refuseToReplace(out);
  if (pin === undefined) {
    write(kit, out, terminal);
    return;
  }
  const certificates = join(out, certificateFolder);
  const { certificate } = await keepSelfSigned(certificates, clock);
  const relayFingerprint = certificateFingerprint(certificate);
  write(createTunnelKit({ ...plan, relayFingerprint }, secrets), out, terminal);
  terminal.out(`${certificates}  beside relay.json: the certificate that both edges expect\n`);
}

function pinProblems({ pin, out, fingerprint, relay }: KeygenOptions): string[] {
  if (pin === undefined) return [];
  return [
    ...(out === undefined ? ['--pin: needs --out, where the certificate is'] : []),
    ...(fingerprint === undefined ? [] : ['--pin: says the same as --fingerprint; give one of them']),
    ...(relay.length === 1 ? [] : ['--pin: fits one relay; name the certificates with --fingerprint']),
  ];
}

function toPlan({ name, protocol, relay, listen, forward, fingerprint }: KeygenOptions): TunnelPlan {
  const plan = { name, protocol, relays: relay, listen, forward };
  return fingerprint === undefined ? plan : { ...plan, relayFingerprint: fingerprint };
}

/**
 * The problems of the edges' configs, in terms of the flags that made them. One that both edges have is listed once.
 */
function flagProblems({ egressEdge, ingressEdge }: TunnelKit): readonly string[] {
  const problems = [
    ...egressEdge.tunnels.flatMap((tunnel) => tunnelProblems(tunnel, '--listen')),
    ...ingressEdge.tunnels.flatMap((tunnel) => tunnelProblems(tunnel, '--forward')),
  ];
  return [...new Set(problems)];
}

function tunnelProblems(tunnel: object, localFlag: string): string[] {
  const parsed = parseTunnel(tunnel, { directory: '.', requireBindProof: false });
  if (parsed.kind === 'valid') return [];
  return parsed.problems.map((problem) => {
    const [key = ''] = problem.path.split('[');
    return formatProblem({ ...problem, path: key === 'local_addr' ? localFlag : (flags[key] ?? key) });
  });
}

function print(kit: TunnelKit, terminal: Terminal): void {
  for (const [name, part, where] of files) terminal.out(`# ${name}: ${where}\n${pretty(kit[part])}`);
}

/** All three or none: a kit of which a part is an older one fits nothing. */
function refuseToReplace(folder: string): void {
  const taken = files.map(([name]) => join(folder, name)).filter((path) => existsSync(path));
  if (taken.length > 0) throw new AppError('io-failed', `keygen never replaces a file, and has ${taken.join(', ')}`);
}

function write(kit: TunnelKit, folder: string, terminal: Terminal): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const [name, part] of files) {
      const content = pretty({ $schema: `./${schemas[part]}`, ...kit[part] });
      writeFileSync(join(folder, name), content, { mode: 0o600, flag: 'wx' });
      const schema = join(folder, schemas[part]);
      if (!existsSync(schema)) copyFileSync(join(installation, schemas[part]), schema);
    }
  } catch (cause) {
    throw new AppError('io-failed', `cannot write to ${folder}`, { cause });
  }
  for (const [name, , where] of files) terminal.out(`${join(folder, name)}  ${where}\n`);
}

function pretty(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
