import type { Socket } from 'node:dgram';
import { describe, expect, it } from 'vitest';
import { LastingUdpSocket } from '../../../../src/edge/local/lasting-udp-socket.ts';
import { closeLocalUdpSocket } from '../../../../src/edge/local/local-udp-socket.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';
import { RecordingLogger } from '../../../support/fakes/recording-logger.ts';

class FakeSocket {
  /** The port that was asked for. */
  readonly wanted: number;
  closed = false;

  constructor(wanted: number) {
    this.wanted = wanted;
  }

  address(): { readonly port: number } {
    return { port: 40_001 };
  }

  close(done: () => void): void {
    this.closed = true;
    done();
  }
}

class Bed {
  readonly clock = new ManualClock();
  readonly logger = new RecordingLogger();
  readonly opened: FakeSocket[] = [];
  readonly renewals: unknown[] = [];
  /** Why the next sockets cannot be opened; null lets them. */
  refusal: Error | null = null;
  readonly socket: LastingUdpSocket<Socket>;

  constructor(mode: 'bind' | 'connect') {
    const open = async ({ port }: { readonly port: number }): Promise<Socket> => {
      if (this.refusal !== null) throw this.refusal;
      const socket = new FakeSocket(port);
      this.opened.push(socket);
      return socket as unknown as Socket;
    };
    this.socket = new LastingUdpSocket(
      {
        clock: this.clock,
        logger: this.logger,
        open,
        portOf: (socket) => socket.address().port,
        close: closeLocalUdpSocket,
        onRenewed: (error) => this.renewals.push(error),
      },
      mode,
      { host: '127.0.0.1', port: 0 },
    );
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await new Promise(setImmediate);
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(`send ${code}`), { code });
}

describe('a local UDP socket', () => {
  it.each([
    ['bind', 40_001],
    ['connect', 0],
  ] as const)('that does %s is opened anew at port %i', async (mode, port) => {
    const { socket, opened, clock } = new Bed(mode);
    expect(await socket.open()).toEqual({ host: '127.0.0.1', port });
    clock.advance(60_000);
    socket.failed(systemError('EINVAL'));
    clock.advance(0);
    await new Promise(setImmediate);
    expect(opened.map(({ wanted }) => wanted)).toEqual([0, port]);
    await socket.close();
  });

  it.each(['EINVAL', 'EADDRNOTAVAIL', 'ENETUNREACH', 'EPERM'])(
    'that is connected is opened anew after %s',
    async (code) => {
      const { socket, opened, ...bed } = new Bed('connect');
      await socket.open();
      bed.clock.advance(60_000);
      socket.failed(systemError(code));
      bed.clock.advance(0);
      await new Promise(setImmediate);
      expect(opened).toHaveLength(2);
      expect(opened[0]?.closed).toBe(true);
      expect(socket.current).toBe(opened[1]);
      await socket.close();
      expect(opened[1]?.closed).toBe(true);
    },
  );

  it.each([
    ['connect', 'ECONNREFUSED'],
    ['connect', 'EMSGSIZE'],
    ['bind', 'EHOSTUNREACH'],
    ['bind', 'EPERM'],
  ] as const)('(%s) stays open after %s, which is about the other end', async (mode, code) => {
    const bed = new Bed(mode);
    await bed.socket.open();
    bed.socket.failed(systemError(code));
    await bed.pass(60_000);
    expect(bed.opened).toHaveLength(1);
    expect(bed.logger.lines).toEqual([]);
    await bed.socket.close();
  });

  it('is opened anew once a second at most, and tried until it can be had', async () => {
    const bed = new Bed('bind');
    await bed.socket.open();
    await bed.pass(60_000);
    for (let i = 0; i < 100; i++) bed.socket.failed(systemError('EADDRNOTAVAIL'));
    const refusal = new Error('no interface has the address');
    bed.refusal = refusal;
    for (let i = 0; i < 5; i++) await bed.pass(1000);
    expect([bed.opened.length, bed.socket.current]).toEqual([1, null]);
    bed.refusal = null;
    await bed.pass(1000);
    expect(bed.socket.current).toBe(bed.opened[1]);
    expect(bed.renewals).toEqual([...Array.from({ length: 5 }, () => refusal), null]);
    bed.socket.failed(systemError('EADDRNOTAVAIL'));
    await bed.pass(999);
    expect(bed.opened).toHaveLength(2);
    await bed.pass(1);
    expect(bed.opened).toHaveLength(3);
    expect(bed.logger.messages('warn')).toEqual(['the local UDP socket does not work, opening it anew']);
    await bed.socket.close();
  });

  it('is not opened again once it is closed', async () => {
    const bed = new Bed('connect');
    await bed.socket.open();
    bed.socket.failed(systemError('EINVAL'));
    await bed.socket.close();
    await bed.pass(60_000);
    expect(bed.opened).toHaveLength(1);
    expect([bed.socket.current, bed.clock.pendingTimers]).toEqual([null, 0]);
  });

  it('that is closed while it cannot be opened leaves no timer behind', async () => {
    const bed = new Bed('bind');
    await bed.socket.open();
    await bed.pass(60_000);
    bed.refusal = new Error('no interface has the address');
    bed.socket.failed(systemError('EADDRNOTAVAIL'));
    bed.clock.advance(0);
    await bed.socket.close();
    expect(bed.clock.pendingTimers).toBe(0);
  });
});
