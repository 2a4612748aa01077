import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeAuth,
  encodeCommandAck,
  encodeNodeMessage,
  parseManagerMessage,
} from '../../../../src/protocol/node/node-message.ts';
import { mangledObjects } from '../../../support/samples/arbitraries.ts';

const at = '2026-04-02T12:00:00Z';
const parse = (value: unknown) => parseManagerMessage(JSON.stringify(value));
const command = (payload: unknown) => parse({ type: 'command', timestamp: at, payload });

describe('what a node sends', () => {
  it('is an envelope with all three fields, the payload null when there is none', () => {
    expect(encodeNodeMessage('pong', undefined, at)).toBe(`{"type":"pong","timestamp":"${at}","payload":null}`);
    expect(encodeNodeMessage('config_response', { a: 1 }, at)).toBe(
      `{"type":"config_response","timestamp":"${at}","payload":{"a":1}}`,
    );
  });

  it('begins with auth by token or by id and secret, word for word', () => {
    expect(encodeAuth({ registration_token: 'tok' }, { softwareVersion: '1.0.0' }, at)).toBe(
      `{"type":"auth","timestamp":"${at}","payload":{"registration_token":"tok","software_version":"1.0.0","protocol_version":1}}`,
    );
    expect(encodeAuth({ node_id: 'n-17', node_secret: 's' }, { softwareVersion: '1.0.0' }, at)).toBe(
      `{"type":"auth","timestamp":"${at}","payload":{"node_id":"n-17","node_secret":"s","software_version":"1.0.0","protocol_version":1}}`,
    );
  });

  it('an observer says what it is, which relays and edges do not', () => {
    expect(encodeAuth({ registration_token: 'tok' }, { softwareVersion: '1.0.0', deviceType: 'observer' }, at)).toBe(
      `{"type":"auth","timestamp":"${at}","payload":{"registration_token":"tok","software_version":"1.0.0","protocol_version":1,"device_type":"observer"}}`,
    );
  });

  it('acknowledges success with data, success without, and failure with its code', () => {
    const payload = (frame: string): unknown => (JSON.parse(frame) as { payload: unknown }).payload;
    expect(payload(encodeCommandAck('c1', { success: true, data: [] }, at))).toEqual({
      command_id: 'c1',
      success: true,
      data: [],
    });
    expect(payload(encodeCommandAck('c1', { success: true }, at))).toEqual({ command_id: 'c1', success: true });
    const failed = { success: false, error: "Tunnel 'x' not found", error_code: 'not_found' } as const;
    expect(payload(encodeCommandAck(null, failed, at))).toEqual({ command_id: 'unknown', ...failed });
  });
});

describe('what a manager answers to auth', () => {
  it('is read from the forms in the contract, which have no timestamp and sometimes no payload', () => {
    expect(parse({ type: 'register_ack', payload: { node_id: 'n-17', node_secret: 's' } })).toEqual({
      kind: 'message',
      message: { type: 'register_ack', node_id: 'n-17', node_secret: 's' },
    });
    expect(parse({ type: 'auth_ok' })).toEqual({ kind: 'message', message: { type: 'auth_ok' } });
  });

  it.each([
    [{ message: 'A', payload: { message: 'B', error: 'C' } }, 'A'],
    [{ payload: { message: 'B', error: 'C' } }, 'B'],
    [{ payload: { error: 'C' } }, 'C'],
    [{ message: null, payload: { message: 7, error: 'C' } }, 'C'],
    [{ message: { text: 'A' } }, 'no reason given'],
    [{}, 'no reason given'],
    [{ message: 'x'.repeat(9999) }, 'x'.repeat(256)],
  ])('names the reason of auth_error %#', (fields, reason) => {
    expect(parse({ type: 'auth_error', ...fields })).toEqual({
      kind: 'message',
      message: { type: 'auth_error', reason },
    });
  });

  it.each([
    [undefined],
    [{}],
    [{ node_id: 'n' }],
    [{ node_id: '', node_secret: 's' }],
    [{ node_id: 'n', node_secret: '' }],
    [{ node_id: 'n', node_secret: 7 }],
    [{ node_id: 'n', node_secret: 'hunter2'.repeat(150_000) }],
  ])('is malformed as a registration without usable credentials %#, and does not quote them', (payload) => {
    const parsed = parse({ type: 'register_ack', payload });
    expect(parsed.kind).toBe('malformed');
    expect(JSON.stringify(parsed)).not.toContain('hunter2');
  });
});

describe('a command', () => {
  it('keeps its id, and its action unread', () => {
    const action = { type: 'close_tunnel', tunnel_id: 'x', extra: { deep: [null] } };
    expect(command({ command_id: 'c1', action })).toEqual({
      kind: 'message',
      message: { type: 'command', command_id: 'c1', action },
    });
  });

  it.each([
    [{ action: { type: 'list_edges' } }],
    [{ command_id: null, action: { type: 'list_edges' } }],
    [{ command_id: 5, action: { type: 'list_edges' } }],
    [{ command_id: 'i'.repeat(257), action: { type: 'list_edges' } }],
  ])('without a usable id has none %#', (payload) => {
    expect(command(payload)).toEqual({
      kind: 'message',
      message: { type: 'command', command_id: null, action: { type: 'list_edges' } },
    });
  });

  it.each([
    [{}],
    [{ action: null }],
    [{ action: 'get_config' }],
    [{ action: {} }],
    [{ action: { type: 5 } }],
    [null],
    [7],
  ])('is still a command, to be acknowledged, when its action is broken: %j', (payload) => {
    expect(command(payload)).toEqual({ kind: 'message', message: { type: 'command', command_id: null, action: null } });
  });
});

describe('any other frame of a manager', () => {
  it('is a ping, unknown or malformed', () => {
    expect(parse({ type: 'ping', timestamp: at, payload: null })).toEqual({
      kind: 'message',
      message: { type: 'ping' },
    });
    expect(parse({ type: 'toString' })).toEqual({ kind: 'unknown', type: 'toString' });
    for (const text of ['', '{', '[]', 'null', '"ping"', '{}', '{"type":1}']) {
      expect(parseManagerMessage(text).kind).toBe('malformed');
    }
  });

  it('never throws, whatever it is', () => {
    const names = ['payload', 'message', 'command_id', 'action', 'timestamp'];
    const types = ['register_ack', 'auth_ok', 'auth_error', 'ping', 'command', '__proto__'];
    const frames = fc.oneof(
      fc.string(),
      fc.json(),
      mangledObjects(names, types).map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(frames, (frame) => {
        expect(['message', 'unknown', 'malformed']).toContain(parseManagerMessage(frame).kind);
      }),
      { numRuns: 2000 },
    );
  });
});
