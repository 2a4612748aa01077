import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../src/cli/demo/free-port.ts';
import { createTunnelSecrets } from '../../../src/cli/tunnel-kit.ts';
import { SystemRandom } from '../../../src/lib/random.ts';
import { TsSource } from '../peers/ts-source.ts';
import { ManagerProcess } from '../programs/manager-process.ts';
import type { Situation } from './situation.ts';
import type { WhyBed } from './why-bed.ts';

const listener = { type: 'srt', mode: 'listener', latency_ms: 60 };

/** An edge without tunnels, with this flow. */
async function flow(bed: WhyBed, input: object, outputs: readonly object[] = [], place = 'egress'): Promise<void> {
  const flows = [{ id: 'main', name: 'Main', input, outputs }];
  await bed.edge('egress', { place, config: { tunnels: [], flows } });
}

/** The `manager` of a node's config. */
function linkTo({ port, fingerprint }: ManagerProcess, identity: object): object {
  const url = `wss://127.0.0.1:${port}/ws/node`;
  return { enabled: true, url, accept_self_signed_cert: true, cert_fingerprint: fingerprint, ...identity };
}

/** A file system of 256 KiB, which is full from now on once `fill` was called. */
function smallDisk(bed: WhyBed): { readonly path: string; fill(): void } {
  const path = join(bed.folder, 'small-disk');
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'adit-test', path]);
  bed.defer(() => void execFileSync('umount', [path]));
  return { path, fill: () => fillUp(join(path, 'filling')) };
}

function fillUp(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4096));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  } finally {
    closeSync(file);
  }
}

/** What is wrong with a program itself, its manager or its media flows. */
export const situationsOfPrograms: readonly Situation[] = [
  {
    title: 'the manager refuses the secret of the node',
    isQuick: false,
    subject: '',
    async cause(bed) {
      const manager = bed.use(await ManagerProcess.start());
      const { id } = await manager.add('camera');
      const link = linkTo(manager, { node_id: id, node_secret: 'a wrong one' });
      await bed.edge('egress', { config: { tunnels: [], manager: link } });
    },
    says: [
      { at: 'egress', cause: /^The manager at wss:.* refuses this node: /, remedy: /^register it anew: make a reg/ },
    ],
  },
  {
    title: 'the manager does not run',
    isQuick: true,
    async cause(bed) {
      const url = `wss://127.0.0.1:${await freePort()}/ws/node`;
      await bed.relay({ config: { manager: { enabled: true, url, node_id: 'relay-1', node_secret: 'some secret' } } });
      await Promise.all([bed.edge('egress'), bed.edge('ingress')]);
    },
    says: [
      {
        at: 'relay',
        level: 'note',
        cause: /^There has been no connection to the manager at .*ECONNREFUSED.* Tunnels go on as they are\.$/,
        remedy: /^nothing listens there/,
      },
    ],
  },
  {
    title: 'the node of the source has never connected to the manager',
    isQuick: false,
    subject: 'camera-1',
    async cause(bed) {
      const manager = bed.use(await ManagerProcess.start());
      const relay = await manager.add('relay', 'relay');
      const [venue, studio] = [await manager.add('venue'), await manager.add('studio')];
      await manager.done('POST', 'tunnels', {
        ...{ name: 'camera-1', protocol: 'udp' },
        source: { node_id: venue.id, listen: bed.listen },
        destination: { node_id: studio.id, forward: bed.device.addr },
        relays: [{ node_id: relay.id, relay_addr: 'relay.example:4433' }],
      });
      const env = { ADIT_API_TOKEN: await manager.token() };
      await bed.relay({ config: { manager: linkTo(manager, { registration_token: relay.token }) } });
      await bed.edge('ingress', {
        config: { tunnels: [], manager: linkTo(manager, { registration_token: studio.token }) },
      });
      bed.answersAt('manager', { flags: ['--config', manager.configPath], env });
    },
    says: [{ at: 'manager', cause: /^venue \(source\) (is not connected to|has never)/, remedy: /runs/ }],
  },
  {
    title: 'the disk is full under the journal of events',
    isQuick: false,
    needsRoot: true,
    subject: '',
    async cause(bed) {
      const disk = smallDisk(bed);
      const url = `wss://127.0.0.1:${await freePort()}/ws/node`;
      const link = { enabled: true, url, node_id: 'relay-1', node_secret: 'some secret' };
      // Several events for each of them: what the journal's last block had left does not hold them.
      const secrets = Array.from({ length: 8 }, () => createTunnelSecrets(new SystemRandom()));
      const authorised = secrets.map(({ id, bindSecret }) => ({ id, bind_secret: bindSecret }));
      await bed.relay({ config: { manager: link, state_dir: disk.path, tunnels: authorised } });
      disk.fill();
      await bed.edge('egress', { config: { tunnels: secrets.flatMap((each) => bed.entries('egress', each)) } });
    },
    says: [{ at: 'relay', cause: /^Events cannot be written to disk: ENOSPC/, remedy: /^free space on the disk/ }],
  },
  {
    title: 'nothing comes into a media flow',
    isQuick: false,
    subject: 'main',
    cause: async (bed) => flow(bed, { ...listener, local_addr: `127.0.0.1:${await freePort()}` }),
    says: [{ at: 'egress', cause: /^Nothing has ever come to 127\.0\.0\.1:\d+\.$/, remedy: /^point the device there/ }],
  },
  {
    title: 'the device that feeds a media flow has stopped',
    isQuick: false,
    subject: 'main',
    async cause(bed) {
      const port = await freePort();
      await flow(bed, { type: 'udp', bind_addr: `127.0.0.1:${port}` });
      const source = bed.use(new TsSource({ port }));
      await bed.says('egress', 'main', 'come in.');
      source.pause();
    },
    says: [{ at: 'egress', cause: /^The publisher has stopped: nothing comes to/, remedy: /^look at the device/ }],
  },
  {
    title: 'an SRT publisher has another passphrase',
    isQuick: false,
    subject: 'main',
    async cause(bed) {
      const address = `127.0.0.1:${await freePort()}`;
      await flow(bed, { ...listener, local_addr: address, passphrase: 'a secret of both' });
      const output = { id: 'out', name: 'Out', type: 'srt', mode: 'caller', remote_addr: address, latency_ms: 60 };
      const port = await freePort();
      const input = { type: 'udp', bind_addr: `127.0.0.1:${port}` };
      await flow(bed, input, [{ ...output, passphrase: 'another secret' }], 'sender');
      bed.use(new TsSource({ port }));
    },
    says: [
      {
        at: 'egress',
        cause: /failed at .* ago: the passphrase is wrong\.$/,
        remedy: /^give both ends the same passphrase/,
      },
      {
        at: 'sender',
        cause: /^Output 'out' is not connected: the passphrase is wrong\.$/,
        remedy: /^give both ends the same/,
      },
    ],
  },
  {
    title: 'one of two legs of a media flow is silent',
    isQuick: false,
    subject: 'main',
    async cause(bed) {
      const [first, second] = [await freePort(), await freePort()];
      const redundancy = { bind_addr: `127.0.0.1:${second}` };
      await flow(bed, { type: 'rtp', bind_addr: `127.0.0.1:${first}`, redundancy });
      let isCut = false;
      bed.use(new TsSource({ port: first, rtp: true }, { port: second, rtp: true, loses: () => isCut }));
      await bed.says('egress', 'main', 'come in.');
      isCut = true;
    },
    says: [
      {
        at: 'egress',
        cause: /^Leg 2 has been silent for \d+ seconds?; the flow runs on/,
        remedy: /^look at the source and the path of leg 2/,
      },
    ],
  },
];
