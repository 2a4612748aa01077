import { createCipheriv, createDecipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressValidation } from '../../../../../src/quic/quiche/accept/address-validation.ts';
import { initialClose } from '../../../../../src/quic/quiche/accept/initial-close.ts';
import { parseLongHeader } from '../../../../../src/quic/quiche/packet-header.ts';
import { StatelessReset } from '../../../../../src/quic/quiche/accept/stateless-reset.ts';
import { SeededRandom } from '../../../../support/fakes/seeded-random.ts';

const key = new Uint8Array(32).fill(1);

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

describe('a Retry token', () => {
  const validation = new AddressValidation(key);
  const original = hex('0102030405060708ff');
  const own = hex('a1a2a3a4a5a6a7a8');
  const token = validation.createToken('192.0.2.1 5000', original, own, 1000.7);

  it('gives the first id back to the client it was made for', () => {
    expect(validation.originalId(token, '192.0.2.1 5000', own, 1000.8)).toEqual(original);
    expect(validation.originalId(token, '192.0.2.1 5000', own, 15_900)).toEqual(original);
  });

  it('is worth nothing elsewhere, later, with another id or another key', () => {
    expect(validation.originalId(token, '192.0.2.1 5001', own, 2000)).toBeNull();
    expect(validation.originalId(token, '192.0.2.1 5000', original, 2000)).toBeNull();
    expect(validation.originalId(token, '192.0.2.1 5000', own, 16_001)).toBeNull();
    const other = new AddressValidation(new Uint8Array(32).fill(2));
    expect(other.originalId(token, '192.0.2.1 5000', own, 2000)).toBeNull();
  });

  it('cannot be altered, nor made up', () => {
    for (let at = 0; at < token.length; at += 1) {
      const altered = Uint8Array.from(token);
      altered[at] = (altered[at] ?? 0) ^ 1;
      expect(validation.originalId(altered, '192.0.2.1 5000', own, 2000)).toBeNull();
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (noise) => {
        expect(validation.originalId(noise, '192.0.2.1 5000', own, 2000)).toBeNull();
      }),
    );
  });
});

describe('a stateless reset', () => {
  const reset = new StatelessReset(key, new SeededRandom(3));
  const id = hex('1122334455667788');

  it('ends with the token of the connection, which needs nothing but the key', () => {
    const packet = reset.packet(id, 1200);
    expect(packet?.subarray(-16)).toEqual(new Uint8Array(new StatelessReset(key, new SeededRandom(9)).token(id)));
    expect(reset.tokenNumber(id)).toBe(BigInt(`0x${reset.token(id).toString('hex')}`));
    expect(reset.token(hex('1122334455667789'))).not.toEqual(reset.token(id));
  });

  it('looks like a short packet and is shorter than its cause; too short a cause gets none', () => {
    for (let cause = 0; cause < 100; cause += 1) {
      const packet = reset.packet(id, cause);
      if (cause < 22) expect(packet).toBeNull();
      else {
        expect(packet?.length).toBeLessThan(cause);
        expect((packet?.[0] ?? 0) & 0xc0).toBe(0x40);
      }
    }
  });
});

describe('a refusal in an Initial packet', () => {
  // The client's Initial of RFC 9001 appendix A and the keys that it gives for the server (A.1).
  const clientId = hex('8394c8f03e515708');
  const serverKey = hex('cf3a5331653c364c88f0f379b6067e37');
  const serverIv = hex('0ac1493ca1905853b0bba03e');
  const serverHeaderKey = hex('c206b8d9b9f0f37644430b490eeaa314');
  const incoming = {
    version: 1,
    initial: true,
    destinationId: clientId,
    sourceId: hex('c0ffee'),
    token: new Uint8Array(0),
  };

  it('is a CONNECTION_CLOSE that the client can read', () => {
    const packet = Buffer.from(initialClose(incoming, hex('f067a5502a4262b5'), 2));
    const header = parseLongHeader(packet);
    expect(header?.destinationId).toEqual(incoming.sourceId);
    expect(header?.sourceId).toEqual(hex('f067a5502a4262b5'));
    const numberAt = packet.length - 16 - 4 - 1;
    const sample = packet.subarray(numberAt + 4, numberAt + 20);
    const mask = createCipheriv('aes-128-ecb', serverHeaderKey, null).update(sample);
    packet.writeUInt8(packet.readUInt8(0) ^ (mask.readUInt8(0) & 0x0f), 0);
    packet.writeUInt8(packet.readUInt8(numberAt) ^ mask.readUInt8(1), numberAt);
    expect(packet.readUInt8(0)).toBe(0xc0);
    expect(packet.readUInt8(numberAt)).toBe(0);
    const decipher = createDecipheriv('aes-128-gcm', serverKey, serverIv);
    decipher.setAAD(packet.subarray(0, numberAt + 1)).setAuthTag(packet.subarray(-16));
    const payload = Buffer.concat([decipher.update(packet.subarray(numberAt + 1, -16)), decipher.final()]);
    expect(payload.toString('hex')).toBe('1c020000');
  });
});
