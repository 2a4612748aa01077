import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Option, type Command } from 'commander';
import type { ConfigProblem } from '../../config/config-problem.ts';
import { folderProblems } from '../../config/writable-folder.ts';
import { loadRelayConfig, type ConfigOverrides, type RelayConfig } from '../../relay/config/relay-config.ts';
import { startRelayProgram } from '../../relay/relay-program.ts';
import { insecureAllowed } from '../service/insecure-allowed.ts';
import { refuseOthersConfig } from '../program-of-config.ts';
import { runService, type Service, type ServiceDependencies } from '../service/run-service.ts';

const defaultConfig = fileURLToPath(new URL('../../../config.json', import.meta.url));

export function addRelay(program: Command): void {
  program
    .command('relay')
    .description('Runs a relay until SIGINT or SIGTERM, then drains. A second signal ends it at once.')
    .option('-c, --config <file>', 'the config file', defaultConfig)
    .option('--quic-addrs <ip:port...>', 'listen for edges here, whatever the config says; also one,two', addresses)
    .option('--api-addrs <ip:port...>', 'serve the REST API here, whatever the config says; also one,two', addresses)
    .option('--public-quic-addr <host:port>', 'what edges dial, whatever the config says')
    .addOption(olderFlag('--quic-addr <ip:port...>').argParser(addresses))
    .addOption(olderFlag('--api-addr <ip:port...>').argParser(addresses))
    .addOption(olderFlag('--udp-relay-addrs <ip:port...>'))
    .addOption(olderFlag('--public-udp-addr <host:port>'))
    .addOption(olderFlag('--no-udp-relay'))
    .action((flags: RelayFlags) => runRelay(flags.config, overridesOf(flags), warningsAbout(flags)));
}

/** A flag of field relays, taken so that their units and scripts work here; the help has this relay's own. */
function olderFlag(flags: string): Option {
  return new Option(flags).hideHelp();
}

/** `one two` and `one,two` are the same. */
function addresses(text: string, earlier: readonly string[] | undefined): readonly string[] {
  const listed = text.split(',').map((address) => address.trim());
  return [...(earlier ?? []), ...listed.filter((address) => address !== '')];
}

interface RelayFlags {
  readonly config: string;
  readonly quicAddr?: readonly string[];
  readonly quicAddrs?: readonly string[];
  readonly apiAddr?: readonly string[];
  readonly apiAddrs?: readonly string[];
  readonly publicQuicAddr?: string;
  readonly udpRelayAddrs?: readonly string[];
  readonly publicUdpAddr?: string;
  readonly udpRelay: boolean;
}

function overridesOf(flags: RelayFlags): ConfigOverrides {
  const quicAddrs = flags.quicAddrs ?? flags.quicAddr;
  const apiAddrs = flags.apiAddrs ?? flags.apiAddr;
  return {
    ...(quicAddrs !== undefined && { quic_addrs: quicAddrs }),
    ...(apiAddrs !== undefined && { api_addrs: apiAddrs }),
    ...(flags.publicQuicAddr !== undefined && { public_quic_addr: flags.publicQuicAddr }),
  };
}

function warningsAbout(flags: RelayFlags): readonly ConfigProblem[] {
  const given = [
    ...(flags.udpRelayAddrs === undefined ? [] : ['--udp-relay-addrs']),
    ...(flags.publicUdpAddr === undefined ? [] : ['--public-udp-addr']),
    ...(flags.udpRelay ? [] : ['--no-udp-relay']),
  ];
  return given.map((path) => ({ path, problem: 'has no effect', remedy: 'this relay carries QUIC tunnels only' }));
}

async function runRelay(
  path: string,
  overrides: ConfigOverrides,
  flagWarnings: readonly ConfigProblem[],
): Promise<void> {
  await refuseOthersConfig(path, 'relay');
  const { config, warnings } = await loadRelayConfig(path, overrides);
  const settings = { logLevel: config.log_level, warnings: [...flagWarnings, ...warnings] };
  await runService('relay', settings, (dependencies) => startRelay(path, overrides, config, dependencies));
}

async function startRelay(
  path: string,
  overrides: ConfigOverrides,
  config: RelayConfig,
  dependencies: ServiceDependencies,
): Promise<Service> {
  const certificateDir = await chooseCertificateDir(path, config.state_dir);
  const relay = await startRelayProgram(
    { config, certificateDir, configPath: resolve(path), allowInsecure: insecureAllowed() },
    dependencies,
  );
  let { tls_cert_path: certificate, tls_key_path: key } = config;
  return {
    facts: {
      engine: relay.engine,
      quic_addrs: relay.quicAddresses,
      api_addrs: relay.apiAddresses,
      certificate_sha256: relay.certificateFingerprint,
      key_pin: relay.keyPin,
      tunnels: config.tunnels.length,
      require_bind_auth: config.require_bind_auth,
      limits: {
        max_tunnels: config.limits.max_tunnels,
        max_connections: config.limits.max_connections,
        max_connections_per_ip: config.max_connections_per_ip,
        max_tunnels_per_connection: config.max_tunnels_per_connection,
      },
    },
    socketBuffers: { asked: config.limits.socket_buffer_bytes, granted: relay.socketBufferBytes },
    watchedFiles: () => [path, certificate, key].filter((file) => file !== null),
    async reload() {
      const { config: next, warnings } = await loadRelayConfig(path, overrides);
      const outcome = await relay.reload(next);
      ({ tls_cert_path: certificate, tls_key_path: key } = next);
      return { ...outcome, logLevel: next.log_level, warnings };
    },
    stop: () => relay.stop(),
  };
}

/**
 * Beside the config, where people look for it; under state_dir where that folder cannot be written, as in a container.
 */
async function chooseCertificateDir(configPath: string, stateDir: string): Promise<string> {
  const beside = join(dirname(resolve(configPath)), 'certs');
  return (await folderProblems('certs', beside)).length === 0 ? beside : join(stateDir, 'certs');
}
