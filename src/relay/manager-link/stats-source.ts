import { nextTurn } from '../../lib/next-turn.ts';
import type { RelayStats, TunnelInfo } from '../../protocol/node/relay-telemetry.ts';
import type { RelayReport } from '../report/relay-report.ts';
import { StatsFrame } from './stats-frame.ts';

/** Some 10 µs each: a turn stays well below a millisecond. */
const tunnelsPerTurn = 50;

/**
 * Gathers the payload of `stats` in small pieces, so that a relay with thousands of tunnels forwards packets meanwhile.
 */
export class StatsSource {
  readonly #report: Pick<RelayReport, 'eachTunnel' | 'edges' | 'totals'>;
  readonly #frame = new StatsFrame();

  constructor(report: Pick<RelayReport, 'eachTunnel' | 'edges' | 'totals'>) {
    this.#report = report;
  }

  async gather(): Promise<RelayStats> {
    const tunnels: TunnelInfo[] = [];
    for (const tunnel of this.#report.eachTunnel()) {
      tunnels.push(tunnel);
      if (tunnels.length % tunnelsPerTurn === 0) await nextTurn();
    }
    const edges = this.#report.edges();
    await nextTurn();
    const totals = this.#report.totals();
    await nextTurn();
    return this.#frame.fit({ tunnels, edges, ...totals });
  }
}
