import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { addEngineMetrics } from '../../../src/admin/engine-metrics.ts';
import { addLogMetrics } from '../../../src/admin/log-metrics.ts';
import { addProcessMetrics } from '../../../src/admin/process-metrics.ts';
import { addEdgeMetrics } from '../../../src/edge/admin/edge-metrics.ts';
import { EventLoopWatch } from '../../../src/lib/event-loop-watch.ts';
import { addEventMetrics } from '../../../src/relay/admin/event-metrics.ts';
import { addRelayMetrics } from '../../../src/relay/admin/relay-metrics.ts';
import { addTunnelMetrics } from '../../../src/relay/admin/tunnel-metrics.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SampleEdge } from '../../support/sample-edge.ts';
import { SampleRelay } from '../../support/sample-relay.ts';

const repository = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');

/** Every name that the programs export. */
function exportedNames(): ReadonlySet<string> {
  const [relay, edge] = [new Registry(), new Registry()];
  const source = new SampleRelay();
  addRelayMetrics(relay, source);
  addTunnelMetrics(relay, source, 1);
  addEventMetrics(relay);
  addEdgeMetrics(edge, new SampleEdge());
  addEngineMetrics(relay, () => source.engine());
  addLogMetrics(relay, () => 0);
  addProcessMetrics(relay, new EventLoopWatch(new ManualClock()));
  return new Set([relay, edge].flatMap((registry) => registry.getMetricsAsArray().map(({ name }) => name)));
}

/** Names in a PromQL expression or a text: ours, and those of the process that it has from Node. */
function namesIn(text: string): string[] {
  return [...new Set(text.match(/\b(adit|nodejs|process)_[a-z_]+[a-z]\b/g) ?? [])];
}

describe('dashboards, alerts and documentation', () => {
  const exported = exportedNames();

  it.each(['contrib/grafana/adit.json', 'contrib/prometheus/adit-alerts.yml', 'docs/operations.md'])(
    '%s names only metrics that are exported',
    (path) => {
      const named = namesIn(read(path));
      expect(named.length).toBeGreaterThan(5);
      expect(named.filter((name) => !exported.has(name))).toEqual([]);
    },
  );

  it('document every metric', () => {
    const documented = new Set(namesIn(read('docs/operations.md')));
    expect([...exported].filter((name) => !documented.has(name))).toEqual([]);
  });

  it('have a dashboard that Grafana can read: a title and a query for each panel', () => {
    const dashboard = JSON.parse(read('contrib/grafana/adit.json')) as {
      panels: { type: string; title: string; targets?: { expr: string }[] }[];
    };
    for (const panel of dashboard.panels.filter(({ type }) => type !== 'row')) {
      expect(panel.title).not.toBe('');
      expect(panel.targets?.every(({ expr }) => expr.length > 0)).toBe(true);
    }
    expect(dashboard.panels.length).toBeGreaterThan(10);
  });
});
