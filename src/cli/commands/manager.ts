import process from 'node:process';
import type { Command } from 'commander';
import type { Clock } from '../../lib/clock.ts';
import { formatHostPort, type HostPort } from '../../lib/host-port.ts';
import { loadManagerConfig } from '../../manager/config/manager-config.ts';
import { refuseOthersConfig } from '../program-of-config.ts';
import { runService, type Service, type ServiceDependencies } from '../service/run-service.ts';
import type { Terminal } from '../terminal.ts';
import { addMaintenance } from './manager-maintenance.ts';

interface ManagerFlags {
  readonly config?: string;
  readonly forgetSealed?: true;
}

export function addManager(program: Command, terminal: Terminal, clock: Clock): void {
  // On both levels, so that a subcommand gets its own --config.
  const command = program
    .enablePositionalOptions()
    .command('manager')
    .enablePositionalOptions()
    .description(
      'Runs a manager until SIGINT or SIGTERM.\n' +
        'Without a config it keeps everything in the folder state/ and listens on port 8443.\n' +
        'Every key of the config can be set in the environment, too: ADIT_LISTEN, ADIT_DATABASE__URL and so on.',
    )
    .option('-c, --config <file>', 'the config file (manager.json)')
    .option('--forget-sealed', 'start although the master key is lost; tunnels run on, their keys must be made anew')
    .action((flags: ManagerFlags) => runManager(flags, terminal));
  addMaintenance(command, { terminal, clock });
}

async function runManager(flags: ManagerFlags, terminal: Terminal): Promise<void> {
  if (flags.config !== undefined) await refuseOthersConfig(flags.config, 'manager');
  const load = () => loadManagerConfig(flags.config ?? null, process.env, process.cwd());
  const { config, warnings } = await load();
  // The thread of an embedded database does.
  const watchesLoop = config.database.url.startsWith('sqlite:');
  await runService('manager', { logLevel: config.log_level, warnings, watchesLoop }, async (dependencies) =>
    startManager(flags, load, dependencies, terminal),
  );
}

async function startManager(
  flags: ManagerFlags,
  load: () => ReturnType<typeof loadManagerConfig>,
  dependencies: ServiceDependencies,
  terminal: Terminal,
): Promise<Service> {
  const { config } = await load();
  const forgetSealed = flags.forgetSealed === true;
  // With the page's bundler and more, which --help does not need.
  const { startManagerProgram } = await import('../../manager/manager-program.ts');
  const { registerApi } = await import('../../manager/api/register-api.ts');
  const program = await startManagerProgram({ config, registerApi, forgetSealed }, dependencies);
  let { tls_cert_path: certificate, tls_key_path: key } = config;
  const url = config.public_url ?? `https://${reachable(program.addresses[0])}`;
  terminal.out(`manager: ${url}\n`);
  terminal.out(`nodes dial: ${url.replace('https:', 'wss:')}/ws/node\n`);
  terminal.out(`cert_fingerprint: ${program.certificateFingerprint}\n`);
  if (program.firstAdmin !== null)
    terminal.out(`first administrator (once, within 1 h): ${url}${program.firstAdmin}\n`);
  return {
    facts: {
      addresses: program.addresses.map(formatHostPort),
      certificate_sha256: program.certificateFingerprint,
      database: config.database.url.split(':', 1)[0],
    },
    watchedFiles: () => [flags.config, certificate, key].filter((file) => typeof file === 'string'),
    async reload() {
      const { config: next, warnings } = await load();
      const outcome = await program.reload(next);
      ({ tls_cert_path: certificate, tls_key_path: key } = next);
      return { ...outcome, logLevel: next.log_level, warnings };
    },
    stop: () => program.stop(),
  };
}

/** What a browser on this host dials. */
function reachable(address: HostPort | undefined): string {
  if (address === undefined) return '';
  const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[address.host] ?? address.host;
  return formatHostPort({ host, port: address.port });
}
