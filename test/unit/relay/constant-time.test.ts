import { timingSafeEqual } from 'node:crypto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createAdminApp } from '../../../src/admin/admin-app.ts';
import { computeBindToken } from '../../../src/protocol/tunnel/bind-token.ts';
import { AddressValidation } from '../../../src/quic/quiche/accept/address-validation.ts';
import { relayRoutes } from '../../../src/relay/admin/relay-routes.ts';
import { MemoryRelay } from '../../support/programs/memory-relay.ts';
import { pairSecret, pairTunnel } from '../../support/programs/relay-pair.ts';
import { SampleRelay } from '../../support/samples/sample-relay.ts';
import { silentLogger } from '../../support/fakes/silent-logger.ts';

vi.mock('node:crypto', { spy: true });

const comparisons = vi.mocked(timingSafeEqual);
const tunnels = [{ id: pairTunnel, bind_secret: pairSecret }];
const wrongSecret = 'f'.repeat(64);

beforeEach(() => {
  comparisons.mockClear();
});

describe('a secret that somebody shows is compared in constant time', () => {
  it.each([
    { what: 'the token', prove: false, secret: pairSecret, answer: 'tunnel_waiting' },
    { what: 'a wrong token', prove: false, secret: wrongSecret, answer: 'tunnel_down' },
    { what: 'a proof', prove: true, secret: pairSecret, answer: 'tunnel_waiting' },
    { what: 'a wrong proof', prove: true, secret: wrongSecret, answer: 'tunnel_down' },
  ])('I7 when an edge binds with $what', async ({ prove, secret, answer }) => {
    const bed = await MemoryRelay.start({ config: { require_bind_auth: true, tunnels } });
    const edge = bed.edge().bind({ tunnelId: pairTunnel, direction: 'ingress', secret, prove });
    bed.run();
    expect(edge.messages.at(-1)?.type).toBe(answer);
    expect(comparisons).toHaveBeenCalledOnce();
  });

  it('I7 when a manager authorises a tunnel anew', async () => {
    const bed = await MemoryRelay.start({ config: { tunnels } });
    const ingress = computeBindToken(pairSecret, pairTunnel, 'ingress');
    const egress = computeBindToken(pairSecret, pairTunnel, 'egress');
    expect(await bed.relay.control.authorize(pairTunnel, { ingress, egress })).toBe('unchanged');
    expect(comparisons).toHaveBeenCalledTimes(2);
  });

  it('I7 when a client of the portable engine comes back with what a Retry gave it', () => {
    const [validation, ids] = [new AddressValidation(new Uint8Array(32)), Buffer.from('original')];
    const token = validation.createToken('192.0.2.1 5000', ids, ids, 0);
    expect(validation.originalId(token, '192.0.2.1 5000', ids, 0)).toEqual(ids);
    expect(comparisons).toHaveBeenCalledOnce();
  });

  it.each([
    ['the token of the REST API', 'an-api-token-of-at-least-32-characters', 200],
    ['a wrong one', 'another-token', 401],
  ])('I7 when a client of REST shows %s', async (_what, shown, statusCode) => {
    const app = await createAdminApp(
      { routes: relayRoutes(new SampleRelay()), metrics: async () => '', logger: silentLogger },
      { title: 'Adit relay', apiToken: 'an-api-token-of-at-least-32-characters' },
    );
    const headers = { authorization: `Bearer ${shown}` };
    expect(await app.inject({ method: 'GET', url: '/api/v1/tunnels', headers })).toMatchObject({ statusCode });
    expect(comparisons).toHaveBeenCalledOnce();
  });
});
