import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { ProcessFacts, type ProcessHandles } from '../../../../src/observer/processes/process-facts.ts';

const nsPerSecond = 1e9;

/** Handles of processes that run until the test ends them. */
class FakeHandles implements ProcessHandles {
  readonly running = new Set<number>();
  opened = 0;

  open(): number {
    this.opened += 1;
    this.running.add(this.opened);
    return this.opened;
  }

  isRunning(handle: number): boolean {
    return this.running.has(handle);
  }

  close(handle: number): void {
    this.running.delete(handle);
  }
}

describe('the PID namespace of a process', () => {
  it('is read again only after its process has ended', () => {
    const [facts, handles] = [new ProcessFacts(), new FakeHandles()];
    facts.useHandles(handles);
    const namespace = facts.namespaceOf(process.pid, 0);
    expect(namespace).toBe(facts.ownNamespace());
    for (let second = 1; second < 10; second += 1) facts.namespaceOf(process.pid, second * nsPerSecond);
    expect(handles.opened).toBe(1);
    handles.running.clear();
    // Within a second of the last look.
    facts.namespaceOf(process.pid, 9.5 * nsPerSecond);
    expect(handles.opened).toBe(1);
    expect(facts.namespaceOf(process.pid, 11 * nsPerSecond)).toBe(namespace);
    expect(handles.opened).toBe(2);
  });

  it('is read every second where there is no handle', () => {
    const facts = new ProcessFacts();
    facts.useHandles({ open: () => null, isRunning: () => true, close: () => undefined });
    expect(facts.namespaceOf(process.pid, 0)).toBe(facts.ownNamespace());
    expect(facts.namespaceOf(process.pid, 2 * nsPerSecond)).toBe(facts.ownNamespace());
  });

  it('holds no more than 512 handles, and takes those of ended processes for others', () => {
    const [facts, handles] = [new ProcessFacts(), new FakeHandles()];
    facts.useHandles(handles);
    for (let pid = 1_000_000; pid < 1_000_600; pid += 1) facts.namespaceOf(pid, 0);
    expect(handles.running.size).toBe(512);
    for (let handle = 1; handle <= 100; handle += 1) handles.running.delete(handle);
    facts.namespaceOf(2_000_000, 60 * nsPerSecond);
    expect(handles.running.size).toBe(413);
    facts.close();
    expect(handles.running.size).toBe(0);
  });
});
