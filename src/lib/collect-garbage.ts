import { Session } from 'node:inspector';

/**
 * Gives back the memory that the start of this thread has used up: V8 would collect it when the heap grows, which that
 * of an idle program does not. The event loop stands still for some 20 ms, once. Resolves when it is done.
 */
export async function collectGarbage(): Promise<void> {
  const session = new Session();
  session.connect();
  await new Promise((resolve) => session.post('HeapProfiler.collectGarbage', resolve));
  session.disconnect();
}
