import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ChildProgram } from '../../src/cli/demo/child-program.ts';
import { createTunnelKit, createTunnelSecrets } from '../../src/cli/tunnel-kit.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { SystemRandom } from '../../src/lib/random.ts';
import { canStartMachines, OtherMachine } from '../support/network/other-machine.ts';
import { runAdit } from '../support/programs/adit-command.ts';
import { builtEngines } from '../support/programs/engines.ts';

// The portable engine cannot forbid fragments, so there the network carries what is larger in two pieces.
const engines = (await builtEngines()).filter((engine) => engine === 'native');

describe.runIf(canStartMachines())('a machine whose network has an MTU of 1420', () => {
  it.each(engines)(
    'is reported with the packet size for SRT by probe, event and why, before video is sent: %s',
    async (engine) => {
      const folder = mkdtempSync(join(tmpdir(), 'adit-narrow-'));
      const programs = new AsyncDisposableStack();
      // Also when the test runs into its limit.
      onTestFinished(() => programs.disposeAsync());
      programs.defer(() => rmSync(folder, { recursive: true }));
      const machine = programs.use(OtherMachine.start());
      machine.setMtu(1420);
      const run = (kind: string, config: object, wrapper: readonly string[] = []): ChildProgram => {
        const path = join(folder, `${kind}.json`);
        writeFileSync(path, JSON.stringify({ quic: { engine }, ...config }), { mode: 0o600 });
        return programs.use(new ChildProgram(kind, [kind, '-c', path], new SystemClock(), wrapper));
      };
      const secrets = createTunnelSecrets(new SystemRandom());
      const authorised = [{ id: secrets.id, bind_secret: secrets.bindSecret }];
      const relay = run('relay', {
        quic_addrs: [`${machine.here}:0`],
        api_addrs: ['127.0.0.1:0'],
        tunnels: authorised,
      });
      const started = await relay.line('relay started');
      const [address] = started['quic_addrs'] as [string];
      const pin = String(started['certificate_sha256']);
      const local = { listen: '127.0.0.1:5000', forward: '127.0.0.1:5001', relayFingerprint: pin };
      const kit = createTunnelKit({ name: 'camera', protocol: 'udp', relays: [address], ...local }, secrets);
      const edge = run('edge', { api_addr: '127.0.0.1:4480', tunnels: kit.egressEdge.tunnels }, machine.wrapper);
      await edge.line('edge started');
      const probe = ['probe', address, '--pin', pin, '--engine', engine, '--seconds', '1'];
      const { out } = await runAdit(probe, {}, machine.wrapper);
      expect(out).toMatch(/Datagrams of up to 1\d\d\d bytes fit .* 1332 are wanted.*\n.*of at most 1128/);
      const warned = await edge.line('narrow path');
      expect(Number(warned['payload_bytes'])).toBeGreaterThan(1200);
      const why = await runAdit(['why', '--url', 'http://127.0.0.1:4480'], {}, machine.wrapper);
      expect(why.out).toMatch(/The path to .* is narrow: at most \d+ bytes .* by default\.\n.*set pkt_size .* to 1128/);
    },
  );
});
