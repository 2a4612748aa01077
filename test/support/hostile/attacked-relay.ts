import type { Direction, TunnelProtocol } from '../../../src/protocol/tunnel/leg.ts';
import type { EngineName } from '../../../src/quic/engine-report.ts';
import type { SocketAddress } from '../../../src/quic/types.ts';
import { knownTunnelId } from '../samples/known-tunnel-id.ts';
import type { ScriptedEdge } from '../peers/scripted-edge.ts';
import { startTestRelay, type TestRelay } from '../programs/test-relay.ts';
import { bindVector, vectorTunnel } from '../samples/vectors.ts';
import type { HostileBind } from './hostile-edge.ts';

export const victimTunnel = knownTunnelId(vectorTunnel.id);
const victimSecret = bindVector.secret;
/** A tunnel whose secret the attacker knows, as a tenant of the same relay does. */
export const ownTunnel = knownTunnelId('22222222-2222-4222-8222-222222222222');
export const ownSecret = 'f'.repeat(64);

/** A relay with one honest tunnel, bound and paired, and room for whoever attacks it. */
export class AttackedRelay implements AsyncDisposable {
  readonly bed: TestRelay;
  readonly remote: SocketAddress;
  readonly ingress: ScriptedEdge;
  readonly egress: ScriptedEdge;

  private constructor(bed: TestRelay, remote: SocketAddress, ingress: ScriptedEdge, egress: ScriptedEdge) {
    this.bed = bed;
    this.remote = remote;
    this.ingress = ingress;
    this.egress = egress;
  }

  static async start(
    engine: EngineName,
    protocol: TunnelProtocol = 'udp',
    config: Readonly<Record<string, unknown>> = {},
  ): Promise<AttackedRelay> {
    const bed = await startTestRelay({
      engine,
      config: {
        require_bind_auth: true,
        tunnels: [
          { id: victimTunnel, bind_secret: victimSecret },
          { id: ownTunnel, bind_secret: ownSecret },
        ],
        ...config,
      },
    });
    const bind = { tunnelId: victimTunnel, protocol, secret: victimSecret };
    const ingress = (await bed.edge('victim-in')).bind({ ...bind, direction: 'ingress' });
    await ingress.expect('tunnel_waiting');
    const egress = (await bed.edge('victim-out')).bind({ ...bind, direction: 'egress' });
    await egress.expect('tunnel_ready');
    await ingress.expect('tunnel_ready');
    return new AttackedRelay(bed, bed.remote, ingress, egress);
  }

  /** A bind that the attacker has every right to. */
  ownBind(direction: Direction = 'egress', protocol: TunnelProtocol = 'udp'): HostileBind {
    return { tunnelId: ownTunnel, direction, protocol, secret: ownSecret };
  }

  victimBind(direction: Direction = 'egress', protocol: TunnelProtocol = 'udp'): HostileBind {
    return { tunnelId: victimTunnel, direction, protocol, secret: victimSecret };
  }

  get unboundSender(): number {
    return this.bed.engine.report().counters.unboundSender;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bed[Symbol.asyncDispose]();
  }
}
