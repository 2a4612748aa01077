import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SystemRandom } from '../../../../src/lib/random.ts';
import { ChunkOpener } from '../../../../src/edge/local/chunk-opener.ts';
import { PayloadCipher } from '../../../../src/edge/local/payload-cipher.ts';
import { cuts } from '../../../support/samples/arbitraries.ts';
import { sealVector, vectorTunnel } from '../../../support/samples/vectors.ts';

const key = Buffer.from(sealVector.keyHex, 'hex');
const prefix = Buffer.from(vectorTunnel.bytesHex, 'hex');
const plaintext = Buffer.from(sealVector.plaintext);

function vectorCipher(): PayloadCipher {
  const nonce = Buffer.from(sealVector.nonceHex, 'hex');
  return new PayloadCipher({ bytes: (length) => Buffer.alloc(length, nonce) }, key, prefix);
}

function cipher(withKey = key): PayloadCipher {
  return new PayloadCipher(new SystemRandom(), withKey, prefix);
}

/** Everything that comes out of an opener when `pieces` go in; null when it broke. */
function openAll(opener: ChunkOpener, pieces: readonly Uint8Array[]): Buffer | null {
  const out: Uint8Array[] = [];
  for (const piece of pieces) {
    opener.push(piece);
    for (let chunk = opener.next(); chunk.kind !== 'incomplete'; chunk = opener.next()) {
      if (chunk.kind === 'broken') return null;
      out.push(chunk.bytes);
    }
  }
  return Buffer.concat(out);
}

describe('sealed datagrams', () => {
  it('are the bytes of the contract', () => {
    expect(Buffer.from(vectorCipher().sealDatagram(plaintext)).toString('hex')).toBe(sealVector.datagramHex);
    expect(cipher().openDatagram(Buffer.from(sealVector.datagramHex, 'hex'))).toEqual(plaintext);
  });

  it('add 44 bytes, so an SRT packet of 1332 bytes makes one of 1376', () => {
    expect(cipher().sealDatagram(Buffer.alloc(1332)).length).toBe(1376);
  });

  it('never use a nonce twice', () => {
    const sealer = cipher();
    const nonces = Array.from({ length: 2000 }, () =>
      Buffer.from(sealer.sealDatagram(plaintext).subarray(16, 28)).toString('hex'),
    );
    expect(new Set(nonces).size).toBe(2000);
  });

  it('open to what was sealed, whatever it is', () => {
    const [sealer, opener] = [cipher(), cipher()];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1500 }), (payload) => {
        expect(Buffer.from(opener.openDatagram(sealer.sealDatagram(payload)) ?? 'none')).toEqual(Buffer.from(payload));
      }),
    );
  });

  it('do not open when one bit was changed, the key is another, or bytes are missing', () => {
    const sealed = Buffer.from(cipher().sealDatagram(plaintext));
    for (let at = 16; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(cipher().openDatagram(changed)).toBeNull();
      expect(cipher().openDatagram(sealed.subarray(0, at))).toBeNull();
    }
    expect(cipher(Buffer.alloc(32, 7)).openDatagram(sealed)).toBeNull();
  });
});

describe('sealed chunks of a stream', () => {
  it('are the bytes of the contract', () => {
    expect(vectorCipher().sealChunks(plaintext).toString('hex')).toBe(sealVector.tcpChunkHex);
  });

  it('hold at most 8192 bytes of plaintext each', () => {
    const sealed = cipher().sealChunks(Buffer.alloc(8193));
    expect(sealed.readUInt32BE(0)).toBe(8192 + 28);
    expect(sealed.readUInt32BE(4 + 8192 + 28)).toBe(1 + 28);
    expect(sealed.length).toBe(8193 + 2 * 32);
  });

  it('open again, however the stream was cut', () => {
    const payload = Buffer.from(Array.from({ length: 20_000 }, (_, i) => i % 251));
    const sealed = cipher().sealChunks(payload);
    fc.assert(
      fc.property(cuts(sealed), (pieces) => {
        const opener = new ChunkOpener(cipher());
        expect(openAll(opener, pieces)?.equals(payload)).toBe(true);
        expect(opener.atBoundary).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('know an end inside a chunk from one between chunks', () => {
    const sealed = cipher().sealChunks(plaintext);
    for (let length = 1; length < sealed.length; length++) {
      const opener = new ChunkOpener(cipher());
      expect(openAll(opener, [sealed.subarray(0, length)])?.length).toBe(0);
      expect(opener.atBoundary).toBe(false);
    }
  });

  it('break on a changed byte and on a chunk that is too long', () => {
    const changed = cipher().sealChunks(plaintext);
    changed[20] = (changed[20] ?? 0) ^ 1;
    expect(openAll(new ChunkOpener(cipher()), [changed])).toBeNull();
    expect(openAll(new ChunkOpener(cipher()), [Buffer.from('00100001', 'hex')])).toBeNull();
    expect(openAll(new ChunkOpener(cipher()), [Buffer.from('0000001b', 'hex'), Buffer.alloc(27)])).toBeNull();
  });
});
