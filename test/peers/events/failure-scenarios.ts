import { once } from 'node:events';
import { Session, type NodeWorker } from 'node:inspector';
import { connect, type Socket } from 'node:net';
import { freeTcpPort } from '../../support/manager/free-tcp-port.ts';
import { ffmpegSource } from '../../support/peers/peer-program.ts';
import type { FlowBed } from '../../support/programs/flow-bed.ts';
import { until } from '../../support/until.ts';
import type { Scenario } from './scenarios.ts';

/** A debugger throws an error into the media worker, which nobody catches. */
async function workerDies(bed: FlowBed): Promise<void> {
  await bed.create({ id: 'main', input: { type: 'udp', bind_addr: '127.0.0.1:0' } });
  const debuggerSession = new Session();
  debuggerSession.connect();
  try {
    const attached = once(debuggerSession, 'NodeWorker.attachedToWorker');
    debuggerSession.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
    const [{ params }] = (await attached) as [{ params: NodeWorker.AttachedToWorkerEventDataType }];
    const expression = "setImmediate(() => { throw new Error('a debugger has ended it') })";
    const message = JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } });
    debuggerSession.post('NodeWorker.sendMessageToWorker', { sessionId: params.sessionId, message });
    await until(() => bed.messages('main').some((text) => text.startsWith('Flow input lost')));
  } finally {
    debuggerSession.disconnect();
  }
}

/** Connections that say nothing have all places. */
async function noPlaceLeft(bed: FlowBed): Promise<void> {
  const port = await freeTcpPort();
  await bed.create({ id: 'main', input: { type: 'rtmp', listen_addr: `127.0.0.1:${port}` } });
  const idle: Socket[] = [];
  try {
    for (let place = 0; place < 16; place++) {
      const socket = connect(port, '127.0.0.1');
      idle.push(socket);
      await once(socket, 'connect');
    }
    await using _ffmpeg = ffmpegSource('-f', 'flv', `rtmp://127.0.0.1:${port}/live/any`);
    await until(() => bed.messages('main').some((text) => text.startsWith('RTMP server error')));
  } finally {
    for (const socket of idle) socket.destroy();
  }
}

export const failureScenarios: readonly Scenario[] = [
  { peer: 'ffmpeg, while idle connections have all places', run: noPlaceLeft },
  { peer: 'a debugger, which ends the media worker', run: workerDies },
];
