import { datagrams } from './datagrams.ts';
import type { Figure } from './figure.ts';
import { growth } from './growth.ts';
import { handshakes } from './handshakes.ts';
import { idle } from './idle.ts';
import { latency } from './latency.ts';
import { loadgenFigures } from './loadgen.ts';
import { storm } from './storm.ts';
import { streams } from './streams.ts';

/** In the order of the table. `datagrams` comes first: half of the rate that it finds is the load of `latency`. */
export function allFigures(loadgen: string | null): readonly Figure[] {
  const own = [datagrams, streams, latency, handshakes, idle, storm, growth];
  return loadgen === null ? own : [...own, ...loadgenFigures(loadgen)];
}
