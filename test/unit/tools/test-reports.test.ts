import { describe, expect, it } from 'vitest';
import { failedFiles, outcomeOf, type TestReport } from '../../../tools/test-reports.ts';

type Tests = Readonly<Record<string, 'passed' | 'failed'>>;

/** A file without tests did not load. */
function reportOf(files: Readonly<Record<string, Tests>>): TestReport {
  const testResults = Object.entries(files).map(([path, tests]) => {
    const assertionResults = Object.entries(tests).map(([fullName, status]) => ({
      fullName,
      status,
      failureMessages: status === 'failed' ? [`${fullName} is wrong`] : [],
    }));
    const isGreen = assertionResults.length > 0 && assertionResults.every(({ status }) => status === 'passed');
    const name = `${process.cwd()}/${path}`;
    return { name, status: isGreen ? 'passed' : 'failed', message: isGreen ? '' : `${path} broke`, assertionResults };
  });
  return { testResults };
}

const first = reportOf({
  'a.test.ts': { one: 'passed', two: 'passed' },
  'b.test.ts': { three: 'failed', four: 'failed', five: 'passed' },
  'c.test.ts': {},
});

describe('the outcome of a test run', () => {
  it('counts tests, and a file that did not load as one that failed', () => {
    expect(outcomeOf(first, null)).toEqual({
      passed: 3,
      failed: 3,
      flaky: [],
      failures: ['b.test.ts: three\nthree is wrong', 'b.test.ts: four\nfour is wrong', 'c.test.ts\nc.test.ts broke'],
    });
    expect(failedFiles(first).map((path) => path.slice(-9))).toEqual(['b.test.ts', 'c.test.ts']);
  });

  it('takes the second run of a failed file, and names what passed only then', () => {
    const again = reportOf({
      'b.test.ts': { three: 'passed', four: 'failed', five: 'passed' },
      'c.test.ts': { six: 'passed' },
    });
    expect(outcomeOf(first, again)).toEqual({
      passed: 5,
      failed: 1,
      flaky: ['b.test.ts: three', 'c.test.ts'],
      failures: ['b.test.ts: four\nfour is wrong'],
    });
  });

  it('counts a test that fails only in the second run', () => {
    const again = reportOf({ 'b.test.ts': { three: 'passed', four: 'passed', five: 'failed' }, 'c.test.ts': {} });
    expect(outcomeOf(first, again)).toMatchObject({
      passed: 4,
      failed: 2,
      flaky: ['b.test.ts: three', 'b.test.ts: four'],
    });
  });
});
