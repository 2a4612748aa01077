import { readFileSync } from 'node:fs';
import process from 'node:process';
import { relative } from 'node:path';

/** What `.ci/run` needs of vitest's JSON report. A file that did not load has no tests, and a message. */
export interface TestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  /** A line each: tests that passed only when they ran again. */
  readonly flaky: readonly string[];
  /** A text each, with the reason. */
  readonly failures: readonly string[];
}

type FileResult = TestReport['testResults'][number];

/** The files with a test that failed, as absolute paths. */
export function failedFiles({ testResults }: TestReport): readonly string[] {
  return testResults.filter(({ status }) => status === 'failed').map(({ name }) => name);
}

/** Counts a run. `again` is the run of its failed files alone: what it says of a file holds, and the difference is named. */
export function outcomeOf(first: TestReport, again: TestReport | null): Outcome {
  const later = new Map((again?.testResults ?? []).map((file) => [file.name, file]));
  const final = first.testResults.map((file) => later.get(file.name) ?? file);
  const count = (wanted: string): number =>
    final.flatMap((file) => file.assertionResults).filter(({ status }) => status === wanted).length;
  const failures = final.flatMap(failuresOf);
  const before = first.testResults.flatMap(failuresOf);
  const stillFails = new Set(failures.map(({ title }) => title));
  return {
    passed: count('passed'),
    failed: failures.length,
    flaky: before.map(({ title }) => title).filter((title) => !stillFails.has(title)),
    failures: failures.map(({ title, reason }) => `${title}\n${reason}`),
  };
}

function failuresOf(file: FileResult): readonly { readonly title: string; readonly reason: string }[] {
  const path = relative(process.cwd(), file.name);
  const failed = file.assertionResults.filter(({ status }) => status === 'failed');
  // A file that does not load fails without a test that does.
  if (file.status === 'failed' && failed.length === 0) return [{ title: path, reason: file.message }];
  return failed.map(({ fullName, failureMessages }) => ({
    title: `${path}: ${fullName}`,
    reason: failureMessages.join('\n'),
  }));
}

function readReport(path: string): TestReport | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as TestReport;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** `files REPORT` prints the failed files; `count REPORT AGAIN` what came of both runs, the counts on the last line. */
function main([action, path = '', again = '']: readonly string[]): void {
  const report = readReport(path);
  if (report === null) throw new Error(`there is no report of tests at ${path}`);
  if (action === 'files') {
    for (const file of failedFiles(report)) print(relative(process.cwd(), file));
    return;
  }
  const { passed, failed, flaky, failures } = outcomeOf(report, readReport(again));
  for (const failure of failures) print(`failed: ${failure}`);
  for (const test of flaky) print(`flaky, passed when it ran again alone: ${test}`);
  print(`${passed} ${failed}`);
}

if (import.meta.main) main(process.argv.slice(2));
