import type { Execution } from '../../node-link/node-program.ts';
import type { CommandAction } from '../../protocol/node/node-command.ts';
import type { CommandOutcome } from '../../protocol/node/node-message.ts';
import { parseRelayAction, type RelayAction } from '../../protocol/node/relay-command.ts';
import type { AuthorizedTunnelInfo } from '../../protocol/node/relay-telemetry.ts';
import type { RelayReport } from '../report/relay-report.ts';
import type { TunnelControl } from '../tunnel-control.ts';
import type { BindPolicy } from '../tunnels/bind-policy.ts';

export interface RelayCommandsDependencies {
  readonly control: Pick<TunnelControl, 'authorize' | 'revoke' | 'closeTunnel' | 'disconnectEdge'>;
  readonly policy: Pick<BindPolicy, 'authorizedTunnels'>;
  readonly report: Pick<RelayReport, 'tunnels' | 'edges'>;
}

type AuthorizeAction = Extract<RelayAction, { type: 'authorize_tunnel' }>;

const done: CommandOutcome = { success: true };

/**
 * What a manager may ask of a relay (docs/protocol/manager.md §4). Everything takes effect before this returns; the ack
 * of an authorise or revoke waits until it is on disk too.
 */
export class RelayCommands {
  readonly #dependencies: RelayCommandsDependencies;

  constructor(dependencies: RelayCommandsDependencies) {
    this.#dependencies = dependencies;
  }

  execute(action: CommandAction): Execution {
    const parsed = parseRelayAction(action);
    if (parsed.kind === 'action') return { outcome: this.#carryOut(parsed.action) };
    return { outcome: { success: false, error: parsed.error, error_code: parsed.error_code } };
  }

  #carryOut(action: RelayAction): CommandOutcome | Promise<CommandOutcome> {
    const { control, report } = this.#dependencies;
    switch (action.type) {
      case 'authorize_tunnel':
        return this.#authorize(action);
      case 'revoke_tunnel':
        return control.revoke(action.tunnel_id).then(() => done);
      case 'close_tunnel': {
        const closed = control.closeTunnel(action.tunnel_id);
        return closed ? done : notFound(`Tunnel '${action.tunnel_id}' not found`);
      }
      case 'disconnect_edge': {
        const closed = control.disconnectEdge(action.edge_id);
        return closed > 0 ? done : notFound(`Edge '${action.edge_id}' is not connected`);
      }
      case 'list_tunnels':
        return { success: true, data: report.tunnels() };
      case 'list_edges':
        return { success: true, data: report.edges() };
      case 'list_authorized':
        return { success: true, data: this.#listAuthorized() };
    }
  }

  async #authorize(action: AuthorizeAction): Promise<CommandOutcome> {
    const { tunnel_id: id, ingress_token: ingress, egress_token: egress, tunnel_name: name } = action;
    const result = await this.#dependencies.control.authorize(id, { ingress, egress }, name);
    if (result !== 'limit-reached') return done;
    const error = 'The relay knows as many authorised tunnels as limits.max_authorizations allows';
    return { success: false, error, error_code: 'validation_error' };
  }

  #listAuthorized(): AuthorizedTunnelInfo[] {
    return this.#dependencies.policy
      .authorizedTunnels()
      .map(({ tunnelId, digest }) => ({ tunnel_id: tunnelId, digest }));
  }
}

function notFound(error: string): CommandOutcome {
  return { success: false, error, error_code: 'not_found' };
}
