import { describe, expect, test } from 'vitest';
import { damaged, fuzzInputs, fuzzTimeoutMs } from '../../../support/media/fuzz.ts';
import { numbered, SrtWorld } from '../../../support/media/srt-world.ts';
import { SeededRandom } from '../../../support/fakes/seeded-random.ts';

const remote = { address: '192.0.2.1', port: 5000 };
const passphrase = 'a passphrase of 25 letters';

/** Everything that a caller and a listener say to each other, key refresh and losses included. */
function conversation(): { readonly toListener: Buffer[]; readonly toCaller: Buffer[] } {
  const refresh = { passphrase, keyRefreshPackets: 100, keyAnnouncePackets: 30 };
  const world = new SrtWorld({ caller: refresh, listener: refresh });
  const toListener: Buffer[] = [];
  const toCaller: Buffer[] = [];
  const { caller, listener } = world;
  const [atCaller, atListener] = [caller.handle.bind(caller), listener.handle.bind(listener)];
  caller.handle = (nowUs, packet) => {
    toCaller.push(Buffer.from(packet));
    atCaller(nowUs, packet);
  };
  listener.handle = (nowUs, packet, from) => {
    toListener.push(Buffer.from(packet));
    atListener(nowUs, packet, from);
  };
  world.connect();
  world.path.quality = { loss: 0.1, delayUs: 5000, jitterUs: 2000 };
  for (let number = 0; number < 300; number++) {
    world.connection.write(world.nowUs, numbered(number, 188), world.nowUs);
    world.accepted?.write(world.nowUs, numbered(number, 188), world.nowUs);
    world.run(1000);
  }
  return { toListener, toCaller };
}

describe('SRT and any bytes', () => {
  test(
    'both ends survive damaged packets of a real conversation, and hold no more than their buffers',
    () => {
      const { toListener, toCaller } = conversation();
      const random = new SeededRandom(11);
      let world = new SrtWorld({ caller: { passphrase }, listener: { passphrase } });
      world.connect();
      for (let input = 0; input < fuzzInputs; input++) {
        if (input % 5000 === 0) {
          world = new SrtWorld({ seed: input + 1, caller: { passphrase }, listener: { passphrase } });
          world.connect();
        }
        const towards = random.float() < 0.5 ? 'listener' : 'caller';
        const packet = damaged(random, towards === 'listener' ? toListener : toCaller);
        const end = towards === 'listener' ? world.accepted : world.connection;
        if (packet.length >= 16 && random.float() < 0.9) packet.writeUInt32BE(end?.agreement.socketId ?? 0, 12);
        if (towards === 'listener') world.listener.handle(world.nowUs, packet, remote);
        else world.caller.handle(world.nowUs, packet);
        world.path.deliver(Number.MAX_SAFE_INTEGER);
        if (input % 50 === 0) world.run(10_000);
      }
      expect(world.listener.connections.length).toBeLessThanOrEqual(1);
      expect(world.connection.receiveBuffered).toBeLessThanOrEqual(8192);
      expect(world.connection.inFlight).toBeLessThanOrEqual(8192);
    },
    fuzzTimeoutMs,
  );

  test(
    'a caller and a listener in mid-handshake survive damaged handshakes',
    () => {
      const { toListener, toCaller } = conversation();
      const random = new SeededRandom(12);
      const [requests, responses] = [toListener.slice(0, 2), toCaller.slice(0, 2)];
      for (let input = 0; input < fuzzInputs / 20; input++) {
        const world = new SrtWorld({ seed: input + 1, path: { loss: 1 } });
        world.run(1000);
        const socketId = random.float() < 0.1 ? 1 : 0;
        for (let step = 0; step < 20; step++) {
          world.listener.handle(world.nowUs, damaged(random, requests), remote);
          const packet = damaged(random, responses);
          if (packet.length >= 16 && socketId === 0) packet.writeUInt32BE(world.callerSocketId, 12);
          world.caller.handle(world.nowUs, packet);
        }
        expect(world.listener.connections).toHaveLength(0);
      }
    },
    fuzzTimeoutMs,
  );
});
