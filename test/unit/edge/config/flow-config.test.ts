import { describe, expect, test } from 'vitest';
import { formatProblem } from '../../../../src/config/config-problem.ts';
import { parseEdgeConfig } from '../../../../src/edge/config/edge-config.ts';
import { parseFlow, parseOutput } from '../../../../src/edge/config/flow-config.ts';
import { sealVector, vectorTunnel } from '../../../support/samples/vectors.ts';

const input = { type: 'srt', mode: 'listener', local_addr: '0.0.0.0:9000' };

function problemsOf(entry: object): string[] {
  const parsed = parseFlow({ id: 'a', name: 'A', input, ...entry });
  return parsed.kind === 'valid' ? [] : parsed.problems.map(formatProblem);
}

describe('a flow in edge.json', () => {
  test('has the defaults that the page of media flows names', () => {
    const parsed = parseFlow({ id: 'a', name: 'A', input });
    if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
    const { flow } = parsed;
    expect(flow).toMatchObject({ enabled: true, mediaAnalysis: true, outputs: [] });
    expect(flow.input).toMatchObject({
      mergeWindowMs: 150,
      leg: {
        payloadBytes: 1316,
        srt: { receiveLatencyMs: 120, peerIdleTimeoutMs: 30_000, keyRefreshPackets: 16_777_216, tooLateDrop: true },
      },
    });
  });

  test.each([
    [{ input: { ...input, latncy_ms: 1 } }, 'input.latncy_ms is not a known key; did you mean "latency_ms"?'],
    [{ inputs: [] }, 'inputs is not a known key; did you mean "input"?'],
    [
      { outputs: [{ type: 'udp', id: 'u', name: 'u', dest_adr: '1.2.3.4:5' }] },
      'outputs[0].dest_adr is not a known key; did you mean "dest_addr"?',
    ],
    [
      { input: { ...input, packet_filter: 'fec' } },
      'input.packet_filter is not supported (forward error correction); leave the key out',
    ],
    [
      { input: { ...input, mode: 'rendezvous' } },
      'input.mode is "rendezvous", which is not supported yet; use "caller" or "listener"',
    ],
    [
      { input: { type: 'srt', mode: 'caller' } },
      'input.remote_addr is missing; a caller needs host:port to dial, or a tunnel',
    ],
    [
      { input: { type: 'st2110' } },
      'input.type has a type that is not supported; use one of "srt", "udp", "rtp", "rtmp", "rtsp", "webrtc", "whep"',
    ],
    [
      { input: { ...input, passphrase: 'short' } },
      'input.passphrase must have 10 to 79 bytes; both ends need the same one',
    ],
    [
      { input: { ...input, redundancy: { mode: 'caller' } } },
      'input.redundancy.remote_addr is missing; a caller needs host:port to dial, or a tunnel',
    ],
    [
      { input: { ...input, crypto_mode: 'aes-gcm' } },
      'input.crypto_mode is not supported yet; use "aes-ctr", or leave the key out',
    ],
  ])('is refused as %j', (entry, problem) => {
    expect(problemsOf(entry)).toContain(problem);
  });

  test('may name a tunnel that ends in flows, and no other, and each once', () => {
    const tunnel = {
      ...{ id: vectorTunnel.id, name: 'link', protocol: 'udp', direction: 'egress', relay_addr: 'relay.example:4433' },
      tunnel_encryption_key: sealVector.keyHex,
    };
    const parse = (localAddr: string, outputs: object[]): string[] => {
      const content = {
        tunnels: [{ ...tunnel, local_addr: localAddr }],
        flows: [{ id: 'a', name: 'A', input, outputs }],
      };
      const parsed = parseEdgeConfig(content, { directory: '/', hostname: 'h' });
      return parsed.kind === 'valid' ? [] : parsed.problems.map(formatProblem);
    };
    const through = (id: string, name: string) => ({ type: 'srt', id, name: id, mode: 'caller', tunnel: name });
    expect(parse('flow', [through('o', 'link')])).toEqual([]);
    expect(parse('127.0.0.1:5000', [through('o', 'link')])).toEqual([
      'flows[0].outputs[0].tunnel names tunnel \'link\', which has a local address of its own; write "local_addr": "flow" there',
    ]);
    expect(parse('flow', [through('o', 'lnk')])).toEqual([
      'flows[0].outputs[0].tunnel names no tunnel of this edge; write the id or name of one',
    ]);
    expect(parse('flow', [through('o', 'link'), through('p', vectorTunnel.id)])).toEqual([
      "flows[0].outputs[1].tunnel names tunnel 'link' once more; a tunnel carries one stream",
    ]);
  });

  test('takes one output alone for add_output, under the same rules', () => {
    expect(parseOutput({ id: 'u', name: 'u', type: 'udp', dest_addr: '127.0.0.1:5000' }).kind).toBe('valid');
    expect(parseOutput({ id: 'u', name: 'u', type: 'udp' })).toMatchObject({
      problems: [{ path: 'dest_addr', problem: 'must be there, or a tunnel, and not both' }],
    });
  });
});
