import { resolve } from 'node:path';
import type { Command } from 'commander';
import { startEdgeProgram } from '../../edge/edge-program.ts';
import { insecureAllowed } from '../service/insecure-allowed.ts';
import { loadEdgeConfig, type LoadedEdgeConfig } from '../load-edge-config.ts';
import { refuseOthersConfig } from '../program-of-config.ts';
import { runService, type Service, type ServiceDependencies } from '../service/run-service.ts';

export function addEdge(program: Command): void {
  program
    .command('edge')
    .description(
      'Runs an edge until SIGINT or SIGTERM. Its config names the tunnels; `adit keygen` writes one.\n' +
        'An egress tunnel listens on local_addr and pushes what arrives into the tunnel; an ingress tunnel ' +
        'forwards to local_addr.',
    )
    .requiredOption('-c, --config <file>', 'the config file, such as edge.json')
    .action(async ({ config: path }: { readonly config: string }) => {
      await refuseOthersConfig(path, 'edge');
      const loaded = await loadEdgeConfig(path);
      const settings = { logLevel: loaded.config.logLevel, warnings: loaded.warnings };
      await runService('edge', settings, (dependencies) => startEdge(path, loaded, dependencies));
    });
}

async function startEdge(
  path: string,
  { config }: LoadedEdgeConfig,
  dependencies: ServiceDependencies,
): Promise<Service> {
  const edge = await startEdgeProgram(
    { config, configPath: resolve(path), allowInsecure: insecureAllowed() },
    dependencies,
  );
  return {
    facts: {
      engine: edge.engine,
      edge_id: config.edgeId,
      tunnels: config.tunnels.length,
      api_addrs: edge.apiAddresses,
    },
    watchedFiles: () => [path],
    async reload() {
      const { config: next, warnings } = await loadEdgeConfig(path);
      return { ...(await edge.reload(next)), logLevel: next.logLevel, warnings };
    },
    stop: () => edge.stop(),
  };
}
