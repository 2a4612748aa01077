import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import process from 'node:process';
import type { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { SystemClock } from '../lib/clock.ts';
import { ConfigReload } from '../lib/config-reload.ts';
import { createLogger } from '../lib/logger.ts';
import { SystemRandom } from '../lib/random.ts';
import { formatProblem } from '../lib/config-problem.ts';
import { folderProblems } from '../lib/writable-folder.ts';
import { loadRelayConfig, type ConfigOverrides } from '../relay/config/relay-config.ts';
import { startRelayProgram } from '../relay/relay-program.ts';
import { installCrashGuard } from './crash-guard.ts';
import { startLoopWatchdog } from './loop-watchdog.ts';
import { insecureAllowed } from './insecure-allowed.ts';
import { reloadOnChange, surviveHangups } from './reload-on-change.ts';
import { runSystemdNotify, ServiceNotice } from './service-notice.ts';
import { waitForShutdownSignal } from './shutdown-signal.ts';
import { warnOfMachine } from './warn-of-machine.ts';

const defaultConfig = fileURLToPath(new URL('../../config.json', import.meta.url));

export function addRelay(program: Command): void {
  program
    .command('relay')
    .summary('run a relay: edges dial in, it pairs them and forwards between them')
    .description('Runs a relay until SIGINT or SIGTERM, then drains. A second signal ends it at once.')
    .option('-c, --config <file>', 'the config file', defaultConfig)
    .option('--quic-addr, --quic-addrs <ip:port...>', 'listen for edges here, whatever the config says')
    .option('--api-addr, --api-addrs <ip:port...>', 'serve the REST API here, whatever the config says')
    .option('--public-quic-addr <host:port>', 'what edges dial, whatever the config says')
    .action((flags: RelayFlags) => runRelay(flags.config, overridesOf(flags)));
}

interface RelayFlags {
  readonly config: string;
  readonly quicAddrs?: readonly string[];
  readonly apiAddrs?: readonly string[];
  readonly publicQuicAddr?: string;
}

function overridesOf({ quicAddrs, apiAddrs, publicQuicAddr }: RelayFlags): ConfigOverrides {
  return {
    ...(quicAddrs !== undefined && { quic_addrs: quicAddrs }),
    ...(apiAddrs !== undefined && { api_addrs: apiAddrs }),
    ...(publicQuicAddr !== undefined && { public_quic_addr: publicQuicAddr }),
  };
}

async function runRelay(path: string, overrides: ConfigOverrides): Promise<void> {
  const { config, warnings } = await loadRelayConfig(path, overrides);
  const logger = createLogger({ level: config.log_level });
  const clock = new SystemClock();
  installCrashGuard(logger);
  using _watchdog = startLoopWatchdog(clock);
  // From here on a signal during the start is not lost.
  surviveHangups();
  const shutdown = waitForShutdownSignal();
  const service = new ServiceNotice({ clock, logger, notify: runSystemdNotify }, process.env);
  for (const warning of warnings) logger.warn({ problem: formatProblem(warning) }, 'config warning');
  const softwareVersion = packageJson.version;
  const dependencies = { clock, random: new SystemRandom(), logger, softwareVersion };
  const certificateDir = await chooseCertificateDir(path, config.state_dir);
  const relay = await startRelayProgram(
    { config, certificateDir, configPath: resolve(path), allowInsecure: insecureAllowed() },
    dependencies,
  );
  logger.info(
    {
      version: softwareVersion,
      engine: relay.engine,
      quic_addrs: relay.quicAddresses,
      api_addrs: relay.apiAddresses,
      certificate_sha256: relay.certificateFingerprint,
      tunnels: config.tunnels.length,
    },
    'relay started',
  );
  const socketBuffers = { asked: config.limits.socket_buffer_bytes, granted: relay.socketBufferBytes };
  await warnOfMachine({ clock, logger, socketBuffers });
  service.ready();
  const reload = new ConfigReload(async () => {
    const { config: next } = await loadRelayConfig(path, overrides);
    const outcome = await relay.reload(next);
    logger.setLevel(next.log_level);
    return outcome;
  }, logger);
  const files = [path, config.tls_cert_path, config.tls_key_path].filter((file) => file !== null);
  const stopWatching = await reloadOnChange(reload, files, dependencies.clock);
  logger.info({ signal: await shutdown }, 'relay stopping');
  service.stopping();
  stopWatching();
  await relay.stop();
  logger.info({}, 'relay stopped');
}

/** Beside the config, where people look for it; under state_dir where that folder cannot be written, as in a container. */
async function chooseCertificateDir(configPath: string, stateDir: string): Promise<string> {
  const beside = join(dirname(resolve(configPath)), 'certs');
  return (await folderProblems('certs', beside)).length === 0 ? beside : join(stateDir, 'certs');
}
