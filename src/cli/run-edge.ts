import { resolve } from 'node:path';
import process from 'node:process';
import type { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { startEdgeProgram } from '../edge/edge-program.ts';
import { SystemClock } from '../lib/clock.ts';
import { formatProblem } from '../lib/config-problem.ts';
import { ConfigReload } from '../lib/config-reload.ts';
import { createLogger } from '../lib/logger.ts';
import { SystemRandom } from '../lib/random.ts';
import { installCrashGuard } from './crash-guard.ts';
import { startLoopWatchdog } from './loop-watchdog.ts';
import { insecureAllowed } from './insecure-allowed.ts';
import { loadEdgeConfig } from './load-edge-config.ts';
import { reloadOnChange, surviveHangups } from './reload-on-change.ts';
import { runSystemdNotify, ServiceNotice } from './service-notice.ts';
import { waitForShutdownSignal } from './shutdown-signal.ts';
import { warnOfMachine } from './warn-of-machine.ts';

export function addEdge(program: Command): void {
  program
    .command('edge')
    .summary('run an edge: dial out to relays and carry local traffic through their tunnels')
    .description(
      'Runs an edge until SIGINT or SIGTERM. Its config names the tunnels; `adit keygen` writes one.\n' +
        'An egress tunnel listens on local_addr and pushes what arrives into the tunnel; an ingress tunnel forwards to local_addr.',
    )
    .requiredOption('-c, --config <file>', 'the config file, such as edge.json')
    .action((options: { readonly config: string }) => runEdge(options.config));
}

async function runEdge(path: string): Promise<void> {
  const { config, warnings } = await loadEdgeConfig(path);
  const logger = createLogger({ level: config.logLevel });
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
  const edge = await startEdgeProgram(
    { config, configPath: resolve(path), allowInsecure: insecureAllowed() },
    dependencies,
  );
  const { edgeId, tunnels } = config;
  logger.info(
    {
      version: softwareVersion,
      engine: edge.engine,
      edge_id: edgeId,
      tunnels: tunnels.length,
      api_addrs: edge.apiAddresses,
    },
    'edge started',
  );
  await warnOfMachine({ clock, logger });
  service.ready();
  const reload = new ConfigReload(async () => {
    const { config: next } = await loadEdgeConfig(path);
    const outcome = await edge.reload(next);
    logger.setLevel(next.logLevel);
    return outcome;
  }, logger);
  const stopWatching = await reloadOnChange(reload, [path], dependencies.clock);
  logger.info({ signal: await shutdown }, 'edge stopping');
  service.stopping();
  stopWatching();
  await edge.stop();
  logger.info({}, 'edge stopped');
}
