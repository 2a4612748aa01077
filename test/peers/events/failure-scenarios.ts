import { once } from 'node:events';
import { Session, type NodeWorker } from 'node:inspector';
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

export const failureScenarios: readonly Scenario[] = [
  { peer: 'a debugger, which ends the media worker', run: workerDies },
];
