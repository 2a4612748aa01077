import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { bottleneck, cpuMsOf, untilAtRest, type CpuUse } from '../../../bench/cpu-meter.ts';

function use(relay: number, source: number, machineBusy: number): CpuUse {
  const process = (name: string, busiestThread: number) => ({ name, cpuMs: busiestThread * 1000, busiestThread });
  return { wallMs: 1000, processes: [process('relay', relay), process('source', source)], machineBusy };
}

describe('the bottleneck', () => {
  it('is the process whose thread has no CPU time left', () => {
    expect(bottleneck(use(0.97, 0.5, 0.8), 2)).toBe('relay (97 % of a CPU)');
  });

  it('is the busier one of two such processes', () => {
    expect(bottleneck(use(0.92, 0.99, 0.99), 2)).toBe('source (99 % of a CPU)');
  });

  it('is the machine when all its CPUs are busy and no process has one for itself', () => {
    expect(bottleneck(use(0.6, 0.6, 0.98), 2)).toBe('machine (2 CPUs 98 % busy)');
  });

  it('is none of them when there was room', () => {
    expect(bottleneck(use(0.3, 0.2, 0.4), 2)).toBe('none');
  });
});

describe('a meter', () => {
  it('answers for the processes that it was given', () => {
    expect(cpuMsOf(use(0.25, 0, 0), 'relay')).toBe(250);
    expect(() => cpuMsOf(use(0, 0, 0), 'turnip')).toThrow('does not know turnip');
  });
});

describe('a process that still works after its start', () => {
  it('is waited for until it is at rest', async () => {
    const program = `
      const end = Date.now() + 1500;
      while (Date.now() < end);
      process.stdout.write('at rest');
      process.stdin.resume();`;
    const child = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    try {
      await untilAtRest(child.pid ?? 0);
      expect(said).toBe('at rest');
    } finally {
      child.kill();
    }
  });
});
