import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { AppError } from '../lib/app-error.ts';
import { parseHostPort } from '../lib/host-port.ts';
import { SystemRandom } from '../lib/random.ts';
import { TUNNEL_PROTOCOLS, type TunnelProtocol } from '../protocol/leg.ts';
import type { Terminal } from './terminal.ts';
import { createTunnelKit, createTunnelSecrets, type TunnelKit, type TunnelPlan } from './tunnel-kit.ts';

interface KeygenOptions {
  readonly name: string;
  readonly protocol: TunnelProtocol;
  readonly relay: readonly string[];
  readonly listen: string;
  readonly forward: string;
  readonly fingerprint?: string;
  readonly out?: string;
}

const files = [
  ['relay.json', 'relay', 'on the relay (adit relay -c relay.json)'],
  ['edge-egress.json', 'egressEdge', 'on the side that has the source (adit edge -c edge-egress.json)'],
  ['edge-ingress.json', 'ingressEdge', 'on the side that has the destination (adit edge -c edge-ingress.json)'],
] as const satisfies readonly (readonly [string, keyof TunnelKit, string])[];

export function addKeygen(program: Command, terminal: Terminal): void {
  program
    .command('keygen')
    .summary('make a new tunnel: its id, its secrets and ready config for the relay and both edges')
    .description(
      'Makes a new tunnel and prints three config files that fit together: one for the relay and one for each edge.\n' +
        'The egress edge listens on --listen and pushes what arrives into the tunnel; the ingress edge forwards it to --forward.',
    )
    .option('--name <name>', 'what people call the tunnel', 'tunnel-1')
    .addOption(new Option('--protocol <protocol>', 'what it carries').choices(TUNNEL_PROTOCOLS).default('tcp'))
    .option('--relay <host:port...>', 'one relay, or two (primary first)', ['relay.example:4433'])
    .option('--listen <ip:port>', 'where the egress edge takes local traffic', '127.0.0.1:9000')
    .option('--forward <ip:port>', 'where the ingress edge sends it', '127.0.0.1:9001')
    .option('--fingerprint <sha256>', "the relay's certificate, as its start-up line prints it")
    .option('--out <folder>', 'write the three files there instead of printing them (existing files are kept)')
    .action((options: KeygenOptions) => {
      const kit = createTunnelKit(toPlan(options), createTunnelSecrets(new SystemRandom()));
      if (options.out === undefined) print(kit, terminal);
      else write(kit, options.out, terminal);
    });
}

function toPlan(options: KeygenOptions): TunnelPlan {
  const addresses: readonly (readonly [string, string])[] = [
    ...options.relay.map((text) => ['--relay', text] as const),
    ['--listen', options.listen],
    ['--forward', options.forward],
  ];
  const wrong = addresses.filter(([, text]) => parseHostPort(text) === null);
  const problems = wrong.map(([flag, text]) => `${flag} ${text}: must be host:port, or [ipv6]:port`);
  if (options.relay.length > 2) problems.push(`--relay: takes one or two, not ${options.relay.length}`);
  if (problems.length > 0) throw new AppError('config-invalid', problems.join('\n'));
  const { name, protocol, relay, listen, forward, fingerprint } = options;
  const plan = { name, protocol, relays: relay, listen, forward };
  return fingerprint === undefined ? plan : { ...plan, relayFingerprint: fingerprint };
}

function print(kit: TunnelKit, terminal: Terminal): void {
  for (const [name, part, where] of files) terminal.out(`# ${name}: ${where}\n${pretty(kit[part])}`);
}

function write(kit: TunnelKit, folder: string, terminal: Terminal): void {
  for (const [name, part, where] of files) {
    const path = join(folder, name);
    try {
      writeFileSync(path, pretty(kit[part]), { mode: 0o600, flag: 'wx' });
    } catch (cause) {
      throw new AppError('io-failed', `cannot write ${path} (keygen never replaces a file)`, { cause });
    }
    terminal.out(`${path}  ${where}\n`);
  }
}

function pretty(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
