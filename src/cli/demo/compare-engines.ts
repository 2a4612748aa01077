import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import type { Terminal } from '../terminal.ts';
import { planDemo, type DemoWorld } from './demo-config.ts';
import { startTunnels } from './demo-programs.ts';
import { measureTcpRate } from './tcp-rate.ts';

/**
 * Measures TCP one way for `seconds` through the tunnel that is up, then the same through a second relay and two more
 * edges on the portable engine. Prints both rates. The programs that are not measured idle meanwhile.
 */
export async function compareEngines(
  world: DemoWorld,
  engine: string,
  seconds: number,
  clock: Clock,
  terminal: Terminal,
): Promise<void> {
  const rate = await measureTcpRate(world.tcp, seconds, clock);
  if (engine !== 'native') {
    terminal.out(`\nTCP one way on engine ${engine}: ${megabytes(rate)}; the native engine is not built here\n`);
    return;
  }
  terminal.out('\nthe same programs once more, on the portable engine:\n');
  const folder = join(world.folder, 'quiche');
  mkdirSync(folder);
  const portable = await planDemo(folder);
  await using _programs = await startTunnels(portable, 'quiche', clock, terminal);
  const portableRate = await measureTcpRate(portable.tcp, seconds, clock);
  const times = (rate / portableRate).toFixed(1);
  terminal.out(
    `\nTCP one way, ${seconds} s each:\nengine native ${megabytes(rate)}, engine quiche ${megabytes(portableRate)} ` +
      `(native ${times} times as fast)\n`,
  );
}

function megabytes(bytesPerSec: number): string {
  return `${(bytesPerSec / 1e6).toFixed(0)} MB/s`;
}
