import process from 'node:process';
import { Gauge, Counter, type Registry } from 'prom-client';
import type { EventLoopWatch } from '../lib/event-loop-watch.ts';

/**
 * The process itself, under the names that dashboards for Node programs expect. Read when scraped, so that nothing
 * runs between scrapes and nothing is left after a stop.
 */
export function addProcessMetrics(registry: Registry, loop: EventLoopWatch): void {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  gauge('nodejs_heap_size_total_bytes', 'Size of the JavaScript heap.', () => process.memoryUsage().heapTotal);
  gauge('nodejs_heap_size_used_bytes', 'Use of the JavaScript heap.', () => process.memoryUsage().heapUsed);
  gauge('nodejs_external_memory_bytes', 'Memory of buffers outside the heap.', () => process.memoryUsage().external);
  gauge('nodejs_eventloop_lag_seconds', 'How late the event loop last was.', () => loop.lag().lastMs / 1000);
  gauge('nodejs_eventloop_lag_max_seconds', 'The worst of the last 10 to 20 s.', () => loop.lag().worstMs / 1000);
  gauge('process_uptime_seconds', 'Age of the process.', () => process.uptime());
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time by kind.',
    labelNames: ['mode'],
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc({ mode: 'user' }, user / 1e6);
      this.inc({ mode: 'system' }, system / 1e6);
    },
  });
}
