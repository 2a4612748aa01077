import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import process from 'node:process';
import type { Reporter, TestModule } from 'vitest/node';
import { documentText } from './document.ts';
import { findProofs } from './proofs.ts';
import { renderTable, type ProvenResult } from './table.ts';

interface Tally {
  readonly pattern: RegExp;
  passed: number;
  failed: number;
}

/**
 * Prints the table of promises when a run ends that was about all of them. With ADIT_CONFORMANCE_DOCUMENT set, writes it
 * to that file too (`npm run conformance`).
 */
export class TableReporter implements Reporter {
  readonly #root = process.cwd();

  onTestRunEnd(modules: readonly TestModule[]): void {
    const results = this.#results(modules);
    if (results.length === 0 || results.some(({ passed, failed }) => passed + failed === 0)) return;
    const table = renderTable(results);
    process.stdout.write(`\n${table}\n`);
    const document = process.env['ADIT_CONFORMANCE_DOCUMENT'];
    if (document === undefined) return;
    mkdirSync(dirname(document), { recursive: true });
    writeFileSync(document, documentText(table));
  }

  /** What became of each test that the sources name; parametrised names match any value. */
  #results(modules: readonly TestModule[]): ProvenResult[] {
    const byFile = Map.groupBy(modules, (module) => relative(this.#root, module.moduleId));
    return findProofs(this.#root).map((proof) => {
      const tally: Tally = { pattern: namePattern(proof.name), passed: 0, failed: 0 };
      for (const module of byFile.get(proof.file) ?? []) count(module, tally);
      return { ...proof, passed: tally.passed, failed: tally.failed };
    });
  }
}

function count(module: TestModule, tally: Tally): void {
  for (const test of module.children.allTests()) {
    if (!tally.pattern.test(test.name)) continue;
    if (test.result().state === 'passed') tally.passed += 1;
    else tally.failed += 1;
  }
}

function namePattern(name: string): RegExp {
  const parts = name.split(/%[a-z]|\$\{[^}]*\}|\$[\w.]+/);
  return new RegExp(`^${parts.map((part) => RegExp.escape(part)).join('.*')}$`);
}
