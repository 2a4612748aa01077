import { describe, expect, it } from 'vitest';
import { builtEngines } from '../support/programs/engines.ts';
import { fuzz, fuzzKinds } from '../support/hostile/fuzz-campaign.ts';
import { HostileEdge } from '../support/hostile/hostile-edge.ts';
import { knownTunnelId } from '../support/samples/known-tunnel-id.ts';
import { roomyLimits } from '../support/load/cycles.ts';
import { RelayProcess } from '../support/programs/relay-process.ts';
import { until } from '../support/until.ts';

const fuzzed = knownTunnelId('6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f');
const innocent = knownTunnelId('11111111-2222-4333-8444-555555555555');
const inputsPerKind = 4000;

describe.each(await builtEngines())('a relay over %s that is fed nonsense', (engine) => {
  it.each(fuzzKinds)(`A7 lives through ${inputsPerKind} mutated inputs: %s (1 000 000 in the soak)`, async (kind) => {
    await using relay = await RelayProcess.start({ engine, config: roomyLimits });
    const remote = relay.address;
    await using ingress = await HostileEdge.bound(
      { remote },
      { tunnelId: innocent, direction: 'ingress', protocol: 'udp' },
    );
    await using egress = await HostileEdge.bound(
      { remote },
      { tunnelId: innocent, direction: 'egress', protocol: 'udp' },
    );
    const count = await fuzz(kind, inputsPerKind, { remote, tunnelId: fuzzed, seed: 1 });
    await until(() => {
      egress.sendDatagram(innocent, Buffer.from('still here'));
      return ingress.takeDatagrams(innocent).length > 0;
    });
    const after = await relay.snapshot();
    expect(after.unhandledRejections).toBe(0);
    expect(count.inputs).toBe(inputsPerKind);
    process.stdout.write(`${engine} A7 ${kind}: ${count.inputs} inputs over ${count.connections} connections\n`);
  });
});
