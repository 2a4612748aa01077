import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeEdgeMessage,
  encodeRelayMessage,
  parseEdgeMessage,
  parseRelayMessage,
  type EdgeMessage,
} from '../../../../src/protocol/tunnel/control-message.ts';
import { parseTunnelId } from '../../../../src/protocol/tunnel/tunnel-id.ts';
import { edgeMessages, mangledObjects, relayMessages } from '../../../support/samples/arbitraries.ts';
import { bindVector, frameBytes, frameVectors, vectorTunnel } from '../../../support/samples/vectors.ts';

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const tunnelId = parseTunnelId(vectorTunnel.id) ?? expect.fail('the vector is a tunnel id');
const bind = { type: 'tunnel_bind', tunnel_id: vectorTunnel.id, direction: 'egress', protocol: 'tcp' };

describe('encoding', () => {
  it('writes the golden hello, identify, ping and tunnel_waiting frames', () => {
    const hello: EdgeMessage = { type: 'hello', protocol_version: 2, software_version: '0.106.0', features: [] };
    expect(encodeEdgeMessage(hello)).toEqual(frameBytes(frameVectors.hello));
    expect(encodeEdgeMessage({ type: 'identify', edge_id: 'edge-sydney-1' })).toEqual(
      frameBytes(frameVectors.identify),
    );
    expect(encodeEdgeMessage({ type: 'ping' })).toEqual(frameBytes(frameVectors.ping));
    const waiting = encodeRelayMessage({ type: 'tunnel_waiting', tunnel_id: tunnelId });
    expect(waiting).toEqual(frameBytes(frameVectors.tunnelWaiting));
  });

  it('keeps the order of the wire, whatever the order in the program', () => {
    const frame = encodeEdgeMessage({
      bind_token: 'abc',
      protocol: 'udp',
      direction: 'ingress',
      tunnel_id: tunnelId,
      type: 'tunnel_bind',
    });
    expect(frame.subarray(4).toString()).toBe(
      `{"type":"tunnel_bind","tunnel_id":"${tunnelId}","direction":"ingress","protocol":"udp","bind_token":"abc"}`,
    );
  });

  it('adds our own fields of hello_ack behind those of the contract', () => {
    const frame = encodeRelayMessage({
      type: 'hello_ack',
      protocol_version: 2,
      software_version: '1.0.0',
      features: ['peer_state', 'bind_proof'],
      bind_challenge: bindVector.challenge,
    });
    expect(frame.subarray(4).toString()).toBe(
      '{"type":"hello_ack","protocol_version":2,"software_version":"1.0.0","features":["peer_state","bind_proof"],' +
        `"bind_challenge":"${bindVector.challenge}"}`,
    );
  });

  it('gives every edge message back through its parser', () => {
    fc.assert(
      fc.property(edgeMessages, (message) => {
        expect(parseEdgeMessage(encodeEdgeMessage(message).subarray(4))).toEqual({ kind: 'message', message });
      }),
    );
  });

  it('gives every relay message back through its parser', () => {
    fc.assert(
      fc.property(relayMessages, (message) => {
        expect(parseRelayMessage(encodeRelayMessage(message).subarray(4))).toEqual({ kind: 'message', message });
      }),
    );
  });
});

describe('parsing an edge message', () => {
  it('reads the hello of an existing edge as one without features', () => {
    expect(parseEdgeMessage(Buffer.from(frameVectors.hello.json))).toEqual({
      kind: 'message',
      message: { type: 'hello', protocol_version: 2, software_version: '0.106.0', features: [] },
    });
  });

  it('ignores unknown fields and reads a null field as an absent one', () => {
    expect(parseEdgeMessage(json({ ...bind, bind_token: null, color: 'red' }))).toEqual({
      kind: 'message',
      message: { ...bind },
    });
  });

  it('reads a tunnel id in any spelling', () => {
    const parsed = parseEdgeMessage(json({ type: 'tunnel_unbind', tunnel_id: vectorTunnel.bytesHex.toUpperCase() }));
    expect(parsed).toEqual({ kind: 'message', message: { type: 'tunnel_unbind', tunnel_id: vectorTunnel.id } });
  });

  it('takes an edge id of 64 bytes and ignores the identify with 65', () => {
    expect(parseEdgeMessage(json({ type: 'identify', edge_id: 'é'.repeat(32) })).kind).toBe('message');
    expect(parseEdgeMessage(json({ type: 'identify', edge_id: `${'é'.repeat(32)}x` }))).toEqual({
      kind: 'malformed',
      reason: 'identify: edge_id longer than 64 bytes',
    });
  });

  it('takes no line ends and other control characters from a peer, whose words stand in lines of ours', () => {
    const taken = [
      parseEdgeMessage(json({ type: 'identify', edge_id: 'studio\n✓ All is well.\u001b[2J\u0085' })),
      parseEdgeMessage(json({ type: 'hello', protocol_version: 2, software_version: '1.0\r\n2.0' })),
      parseRelayMessage(json({ type: 'tunnel_down', tunnel_id: vectorTunnel.id, reason: 'go\taway\u0000' })),
    ];
    expect(taken).toMatchObject([
      { message: { edge_id: 'studio✓ All is well.[2J' } },
      { message: { software_version: '1.02.0' } },
      { message: { reason: 'goaway' } },
    ]);
  });

  it.each(['', '\n'])('ignores an edge id of nothing that can be shown: %j', (edge_id) => {
    expect(parseEdgeMessage(json({ type: 'identify', edge_id }))).toEqual({
      kind: 'malformed',
      reason: 'identify: edge_id empty',
    });
  });

  it('calls a type that it does not know unknown, also one that is a name of Object.prototype', () => {
    expect(parseEdgeMessage(json({ type: 'tunnel_dance' }))).toEqual({ kind: 'unknown', type: 'tunnel_dance' });
    expect(parseEdgeMessage(json({ type: 'constructor' }))).toEqual({ kind: 'unknown', type: 'constructor' });
    expect(parseEdgeMessage(json({ type: 'toString' })).kind).toBe('unknown');
    expect(parseEdgeMessage(json({ type: 'x'.repeat(5000) }))).toEqual({ kind: 'unknown', type: 'x'.repeat(256) });
  });

  it('does not take a message of the other side', () => {
    expect(parseEdgeMessage(json({ type: 'pong' })).kind).toBe('unknown');
    expect(parseRelayMessage(json({ type: 'ping' })).kind).toBe('unknown');
  });

  it.each([
    ['no bytes', Buffer.alloc(0)],
    ['broken JSON', Buffer.from('{"type":"ping"')],
    ['an array', json([{ type: 'ping' }])],
    ['a string', json('ping')],
    ['null', json(null)],
    ['no type', json({})],
    ['a type that is no string', json({ type: 7 })],
    [
      'bytes that are not UTF-8',
      Buffer.concat([Buffer.from('{"type":"ping","x":"'), Buffer.of(0xff), Buffer.from('"}')]),
    ],
    ['a byte order mark', Buffer.from('\ufeff{"type":"ping"}')],
    ['a negative version', json({ type: 'hello', protocol_version: -1, software_version: '' })],
    ['a version over u32', json({ type: 'hello', protocol_version: 2 ** 32, software_version: '' })],
    ['a version with a fraction', json({ type: 'hello', protocol_version: 1.5, software_version: '' })],
    ['a bad UUID', json({ ...bind, tunnel_id: 'nope' })],
    ['no tunnel id', json({ type: 'tunnel_unbind' })],
    ['a direction in the wrong case', json({ ...bind, direction: 'Ingress' })],
    ['an unknown protocol', json({ ...bind, protocol: 'sctp' })],
    ['a token that is no string', json({ ...bind, bind_token: 5 })],
  ])('calls %s malformed', (_name, payload) => {
    expect(parseEdgeMessage(payload).kind).toBe('malformed');
  });

  it('never quotes what was sent in its reason', () => {
    const secret = 'hunter2secret';
    const sent = [`{"type":"tunnel_bind","bind_token":"${secret}`, JSON.stringify({ ...bind, direction: secret })];
    for (const text of sent) expect(JSON.stringify(parseEdgeMessage(Buffer.from(text)))).not.toContain(secret);
  });

  it('takes a hello whose features it cannot read as one without, and bounds what it keeps', () => {
    const hello = { type: 'hello', protocol_version: 2, software_version: 'v'.repeat(9999) };
    expect(parseEdgeMessage(json({ ...hello, features: { a: 1 } }))).toMatchObject({ message: { features: [] } });
    expect(parseEdgeMessage(json({ ...hello, features: Array(2000).fill('f'.repeat(300)) }))).toMatchObject({
      message: { software_version: 'v'.repeat(256), features: Array(32).fill('f'.repeat(256)) },
    });
  });

  it('answers every mangled input with a value, never an exception', () => {
    const names = ['tunnel_id', 'direction', 'protocol', 'bind_token', 'edge_id', 'features', 'protocol_version'];
    const types = ['hello', 'identify', 'tunnel_bind', 'tunnel_unbind', 'ping', '__proto__'];
    const flipped = fc.tuple(edgeMessages, fc.nat(), fc.nat({ max: 255 })).map(([message, at, value]) => {
      const payload = encodeEdgeMessage(message).subarray(4);
      payload[at % payload.length] = value;
      return payload;
    });
    const inputs = fc.oneof(flipped, fc.uint8Array({ maxLength: 200 }), mangledObjects(names, types).map(json));
    fc.assert(
      fc.property(inputs, (payload) => {
        expect(['message', 'unknown', 'malformed']).toContain(parseEdgeMessage(payload).kind);
      }),
      { numRuns: 2000 },
    );
  });

  it('survives a megabyte of nested brackets', () => {
    expect(parseEdgeMessage(Buffer.from('['.repeat(1_000_000))).kind).toBe('malformed');
    const nested = `{"type":"ping","x":${'['.repeat(400_000)}${']'.repeat(400_000)}}`;
    expect(parseEdgeMessage(Buffer.from(nested)).kind).toBe('message');
  });
});

describe('parsing a relay message', () => {
  it('reads the hello_ack of an existing relay as one without challenge', () => {
    const ack = { type: 'hello_ack', protocol_version: 1, software_version: '0.9' };
    expect(parseRelayMessage(json(ack))).toEqual({ kind: 'message', message: { ...ack, features: [] } });
  });

  it('ignores a challenge that is not 64 hex characters', () => {
    const ack = { type: 'hello_ack', protocol_version: 2, software_version: '0.9', bind_challenge: 'short' };
    const parsed = parseRelayMessage(json(ack));
    expect(parsed).toMatchObject({ kind: 'message' });
    expect(JSON.stringify(parsed)).not.toContain('bind_challenge');
  });

  it('requires the reason of tunnel_down and takes any text', () => {
    const down = { type: 'tunnel_down', tunnel_id: vectorTunnel.id };
    expect(parseRelayMessage(json(down)).kind).toBe('malformed');
    expect(parseRelayMessage(json({ ...down, reason: 'new words' }))).toEqual({
      kind: 'message',
      message: { ...down, reason: 'new words' },
    });
  });

  it('answers every mangled input with a value, never an exception', () => {
    const names = ['tunnel_id', 'reason', 'software_version', 'bind_challenge', 'features', 'protocol_version'];
    const types = ['hello_ack', 'tunnel_ready', 'tunnel_waiting', 'tunnel_down', 'pong', '__proto__'];
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mangledObjects(names, types).map(json)), (payload) => {
        expect(['message', 'unknown', 'malformed']).toContain(parseRelayMessage(payload).kind);
      }),
      { numRuns: 2000 },
    );
  });
});
