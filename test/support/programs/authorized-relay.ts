import type { EngineName } from '../../../src/quic/engine-report.ts';
import type { TlsIdentity } from '../../../src/quic/types.ts';
import { startTestRelay, type TestRelay } from './test-relay.ts';
import { bindVector, vectorTunnel } from '../samples/vectors.ts';

export interface AuthorizedRelayOptions {
  readonly port?: number;
  readonly tls?: TlsIdentity;
}

/** A relay at which only the vectors' tunnel may bind. All of them share a reset key, so one can stand in for another. */
export function startAuthorizedRelay(engine: EngineName, options: AuthorizedRelayOptions = {}): Promise<TestRelay> {
  const { port = 0, tls } = options;
  return startTestRelay({
    engine,
    config: {
      quic_addrs: [`127.0.0.1:${port}`],
      require_bind_auth: true,
      tunnels: [{ id: vectorTunnel.id, bind_secret: bindVector.secret }],
    },
    resetKey: Buffer.alloc(32, 1),
    ...(tls !== undefined && { tls }),
  });
}

/** The port of a relay's first address. */
export function portOf(relay: TestRelay): number {
  return Number(relay.address.split(':').at(-1));
}
