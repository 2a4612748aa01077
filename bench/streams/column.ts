import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { TunMachine } from '../../test/support/network/tun-machine.ts';
import { Child } from '../child.ts';
import { StreamSink } from './stream-sink.ts';

const sender = fileURLToPath(new URL('stream-sender.ts', import.meta.url));

/** What a column has at hand for one case: a machine at the other end of the path, and a folder that is gone later. */
export interface StreamWorld {
  readonly machine: TunMachine;
  readonly folder: string;
  readonly seconds: number;
}

/** A column of the table: a way for a TCP stream from the other machine to this one. */
export interface StreamColumn {
  readonly name: string;
  /** What it is, for the legend. */
  readonly description: string;
  /** The kernel's own TCP, which tunnels are compared with. */
  readonly isKernel: boolean;
  /** Sends without end and returns megabits a second. Rejects when the way never came up. */
  run(world: StreamWorld): Promise<number>;
}

/** TCP of the kernel over the path itself, with this congestion control. */
export function kernelColumn(congestion: string): StreamColumn {
  return {
    name: congestion,
    description: `the kernel’s TCP over the path itself, ${congestion}`,
    isKernel: true,
    async run(world) {
      const { machine, seconds } = world;
      machine.setCongestionControl(congestion);
      await using sink = await StreamSink.open(machine.here);
      await using _sending = startSender(world, machine.here, sink.port);
      return await sink.megabits(seconds);
    },
  };
}

/** A program on the other machine that connects to an address and writes. */
export function startSender({ machine, folder }: StreamWorld, host: string, port: number): Child {
  const [command, ...args] = [...machine.wrapper, process.execPath, sender, host, String(port)];
  return new Child({ name: 'the sender', command, args, logPath: join(folder, 'sender.log') });
}
