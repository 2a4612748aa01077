import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../src/cli/demo/free-port.ts';
import { Child } from '../child.ts';
import type { Chain, FarEnd, RunningChain } from './chain.ts';

export interface FrpPrograms {
  readonly frps: string;
  readonly frpc: string;
}

const ip = '127.0.0.1';
const transport = { useEncryption: true };

/** frp's way from client to client through its server: `stcp` and `sudp` with visitors, over QUIC, with its own encryption on. */
export function frpChain(programs: FrpPrograms): Chain {
  return {
    name: 'frp',
    description: 'frpc, frps and frpc: stcp and sudp over QUIC, useEncryption',
    start: (folder, farEnd) => start(programs, folder, farEnd),
  };
}

async function start({ frps, frpc }: FrpPrograms, folder: string, farEnd: FarEnd): Promise<RunningChain> {
  await using starting = new AsyncDisposableStack();
  const secretKey = randomBytes(16).toString('hex');
  const [bindPort, quicBindPort, tcpPort, udpPort] = await Promise.all(Array.from({ length: 4 }, () => freePort()));
  const run = (name: string, command: string, config: object): Child => {
    const path = join(folder, `${name}.json`);
    writeFileSync(path, JSON.stringify(config));
    return starting.use(
      new Child({ name: `frp ${name}`, command, args: ['-c', path], logPath: join(folder, `${name}.log`) }),
    );
  };
  const relay = run('relay', frps, { bindAddr: ip, bindPort, quicBindPort });
  await relay.says(/frps started successfully/);
  const client = { serverAddr: ip, serverPort: quicBindPort, transport: { protocol: 'quic' } };
  const far = run('far', frpc, {
    ...client,
    proxies: [
      { name: 'tcp', type: 'stcp', secretKey, localIP: ip, localPort: farEnd.tcp.port, transport },
      { name: 'udp', type: 'sudp', secretKey, localIP: ip, localPort: farEnd.udp.port, transport },
    ],
  });
  await far.says(/\[tcp\] start proxy success/);
  await far.says(/\[udp\] start proxy success/);
  const visitor = { secretKey, bindAddr: ip, transport };
  const near = run('near', frpc, {
    ...client,
    visitors: [
      { ...visitor, name: 'tcp-visitor', type: 'stcp', serverName: 'tcp', bindPort: tcpPort },
      { ...visitor, name: 'udp-visitor', type: 'sudp', serverName: 'udp', bindPort: udpPort },
    ],
  });
  await near.says(/(start visitor success[^]*){2}/);
  if (tcpPort === undefined || udpPort === undefined) throw new Error('there is no free port');
  const running = starting.move();
  return {
    pids: { near: near.pid, relay: relay.pid, far: far.pid },
    entry: { tcp: { ip, port: tcpPort }, udp: { ip, port: udpPort } },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
