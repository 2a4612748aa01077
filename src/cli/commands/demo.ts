import { InvalidArgumentError, type Command } from 'commander';
import { runDemo, type DemoOptions } from '../demo/run-demo.ts';
import type { Terminal } from '../terminal.ts';

export function addDemo(program: Command, terminal: Terminal): void {
  program
    .command('demo')
    .description(
      'Starts a manager, a relay, two edges and an observer as processes of their own, on loopback only. The nodes ' +
        'register with the manager, which makes two tunnels. Sends TCP both ways and a UDP stream of SRT-sized ' +
        'packets through them, checks every byte, measures TCP on both QUIC engines, stops the relay for three ' +
        'seconds to show what the observer sees, and ends with a summary. Status 0 when all was well.',
    )
    .option('--seconds <n>', 'how long the UDP stream lasts', positive, 3)
    .option('--megabytes <n>', 'how much TCP data to send each way', positive, 100)
    .option('--rate <n>', 'UDP packets a second', positive, 1000)
    .option('--compare <n>', 'seconds of TCP to measure on each QUIC engine, 0 for none', wholeNumber, 2)
    .option('--media', 'also carry a test picture: SRT, flow, tunnel, flow, WHEP for a browser', false)
    .option('--keep', 'stay up afterwards and print commands to try', false)
    .action((options: DemoOptions) => runDemo(options, terminal));
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('must be a whole number above 0.');
}

function wholeNumber(text: string): number {
  return text === '0' ? 0 : positive(text);
}
