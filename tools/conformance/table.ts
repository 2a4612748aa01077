import { promiseIds, promises } from './promises.ts';
import type { Proof } from './proofs.ts';

export interface ProvenResult extends Proof {
  /** How often the test ran, once for each engine for instance. */
  readonly passed: number;
  readonly failed: number;
}

const heading = '| id | promise | test | passes |\n| --- | --- | --- | --- |\n';

/** The table of docs/conformance.md: a line for each test, in the order of the promises. */
export function renderTable(results: readonly ProvenResult[]): string {
  const lines = promiseIds.flatMap((id) => {
    const own = results.filter((result) => result.id === id);
    if (own.length === 0) return [`| ${id} | ${promises[id]} | **none** | |`];
    return own.map((result, index) => {
      const head = index === 0 ? `| ${id} | ${promises[id]} ` : '| | ';
      return `${head}| ${cell(withoutId(result))} (\`${result.file}\`) | ${verdict(result)} |`;
    });
  });
  return `${heading}${lines.join('\n')}\n`;
}

/** The tests that a rendered table lists, each as `file: name`. */
export function listedProofs(document: string): string[] {
  let id = '';
  return document.split('\n').flatMap((line) => {
    const match = /^\| (\w*) ?\|.*?\| (.+) \(`([^`]+)`\) \| [^|]*\|$/.exec(line);
    if (match === null) return [];
    id = match[1] === '' ? id : (match[1] ?? id);
    return [`${match[3] ?? ''}: ${id} ${match[2] ?? ''}`];
  });
}

/** The same for tests found in the sources. */
export function expectedProofs(proofs: readonly Proof[]): string[] {
  return proofs.map((proof) => `${proof.file}: ${proof.id} ${cell(withoutId(proof))}`);
}

function withoutId({ id, name }: Proof): string {
  return name.slice(id.length).replace(/^[\s:,.]+/, '');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}

function verdict({ passed, failed }: ProvenResult): string {
  if (failed > 0) return `**fails** (${failed} of ${passed + failed})`;
  return passed === 0 ? 'not run' : passed === 1 ? 'yes' : `yes, ${passed} times`;
}
