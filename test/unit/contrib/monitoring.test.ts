import { execFileSync, spawnSync } from 'node:child_process';
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
import { ManualClock } from '../../support/fakes/manual-clock.ts';
import { SampleEdge } from '../../support/samples/sample-edge.ts';
import { SampleRelay } from '../../support/samples/sample-relay.ts';

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
const repository = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');

/** Every metric that the programs export, with its labels and those that Prometheus adds. */
function exportedMetrics(): ReadonlyMap<string, readonly string[]> {
  const [relay, edge] = [new Registry(), new Registry()];
  const source = new SampleRelay();
  addRelayMetrics(relay, source);
  addTunnelMetrics(relay, source, 1);
  addEventMetrics(relay);
  addEdgeMetrics(edge, new SampleEdge());
  addEngineMetrics(relay, () => source.engine());
  addLogMetrics(relay, () => 0);
  addProcessMetrics(relay, new EventLoopWatch(new ManualClock()));
  const metrics = [relay, edge].flatMap((registry) => registry.getMetricsAsArray());
  return new Map(metrics.map((metric) => [metric.name, [...labelsOf(metric), 'instance', 'job']]));
}

function labelsOf(metric: object): readonly string[] {
  return 'labelNames' in metric ? (metric.labelNames as string[]) : [];
}

/** `{label="value"}` behind a metric's name. */
function selectorsIn(text: string): { name: string; labels: string[] }[] {
  return [...text.matchAll(/\b([a-z_]+)\{([^}]*)\}/g)].map(([, name = '', inside = '']) => {
    return { name, labels: [...inside.matchAll(/(\w+) *(?:=|!=|=~|!~) *"/g)].map(([, label = '']) => label) };
  });
}

/** Each alert of the rules file as text, without its comments. */
function alerts(): { name: string; text: string }[] {
  const [, ...parts] = read('contrib/prometheus/adit-alerts.yml')
    .replaceAll(/^ *#.*\n/gm, '')
    .split('- alert: ');
  return parts.map((text) => ({ name: /^\w+/.exec(text)?.[0] ?? '', text }));
}

/** Names in a PromQL expression or a text: ours, and those of the process that it has from Node. */
function namesIn(text: string): string[] {
  return [...new Set(text.match(/\b(adit|nodejs|process)_[a-z_]+[a-z]\b/g) ?? [])];
}

describe('dashboards, alerts and documentation', () => {
  const exported = exportedMetrics();
  const labelsOfAll = (text: string): readonly string[] => namesIn(text).flatMap((name) => exported.get(name) ?? []);

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
    expect([...exported.keys()].filter((name) => !documented.has(name))).toEqual([]);
  });

  it.each(['contrib/grafana/adit.json', 'contrib/prometheus/adit-alerts.yml'])(
    '%s selects by labels that exist',
    (path) => {
      const text = read(path).replaceAll('\\"', '"');
      const selectors = selectorsIn(text).filter(({ name }) => exported.has(name));
      expect(selectors.length).toBeGreaterThan(1);
      const unknown = selectors.filter(({ name, labels }) =>
        labels.some((label) => !exported.get(name)?.includes(label)),
      );
      expect(unknown).toEqual([]);
    },
  );

  it('name in each alert only labels that its metrics have, and events that are raised', () => {
    const events = read('src/relay/events/relay-event.ts').matchAll(/kind: '([a-z-]+)'/g);
    const kinds = new Set([...events].map(([, kind]) => kind));
    for (const { name, text } of alerts()) {
      const used = [...text.matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label);
      // Prometheus's own metric has `instance` too.
      const known = ['instance', ...labelsOfAll(text)];
      expect({ name, unknown: used.filter((label) => !known.includes(label)) }).toEqual({ name, unknown: [] });
      for (const [, kind] of text.matchAll(/kind="([^"]*)"/g)) expect(kinds).toContain(kind);
    }
  });

  it('say of every alert what to do, and of no other', () => {
    const table = read('docs/operations.md').match(/^\| Adit\w+.*\|$/gm) ?? [];
    const documented = table.flatMap((row) => (row.split('|')[1] ?? '').split(',').map((name) => name.trim()));
    expect(documented.toSorted()).toEqual(
      alerts()
        .map(({ name }) => name)
        .toSorted(),
    );
  });

  it.runIf(hasPromtool)('have alerts that Prometheus understands and that fire when they should', () => {
    const promtool = (...args: string[]): void =>
      void execFileSync('promtool', args, { cwd: repository, stdio: ['ignore', 'pipe', 'pipe'] });
    promtool('check', 'rules', 'contrib/prometheus/adit-alerts.yml');
    promtool('test', 'rules', 'test/unit/contrib/adit-alerts.test.yml');
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
