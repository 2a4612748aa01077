import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const repository = join(import.meta.dirname, '..');
/** The code that they import comes along. The second entry of a thread: no import names it. */
const sources = ['observer/observer', 'protocol/beat/beat-frame', 'observer/beats/receive-thread'] as const;
const legal = ['LICENSE', 'NOTICE'] as const;
/** Imports, and files that a thread starts from. */
const relativePlace = /(['"])(\.{1,2}\/[^'"]+)\.ts\1/g;

interface Manifest {
  readonly license: string;
  readonly engines: object;
  readonly exports: Readonly<Record<string, string>>;
  readonly optionalDependencies: { readonly koffi: string };
}

/**
 * Writes `adit-library-VERSION.tgz` into `out`: the entries of package.json's `exports` as JavaScript with types, since
 * Node strips no types below node_modules. `npm install FILE` takes it. Returns the file's name. `work` is an empty
 * folder.
 */
export function writeLibrary(work: string, out: string, version: string): string {
  compile(work);
  for (const file of legal) cpSync(join(repository, file), join(work, file));
  const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as Manifest;
  writeFileSync(join(work, 'package.json'), `${JSON.stringify(libraryManifest(manifest, version), null, 2)}\n`);
  mkdirSync(out, { recursive: true });
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', out], { cwd: work });
  const name = `adit-library-${version}.tgz`;
  renameSync(join(out, `adit-${version}.tgz`), join(out, name));
  return name;
}

function compile(work: string): void {
  const project = join(work, 'tsconfig.json');
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    rewriteRelativeImportExtensions: true,
    rootDir: join(repository, 'src'),
    outDir: join(work, 'lib'),
    typeRoots: [join(repository, 'node_modules/@types')],
  };
  const files = sources.map((source) => join(repository, 'src', `${source}.ts`));
  writeFileSync(
    project,
    JSON.stringify({ extends: join(repository, 'tsconfig.json'), compilerOptions, include: [], files }),
  );
  const compiler = join(repository, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '--project', project], { stdio: ['ignore', 'inherit', 'inherit'] });
  for (const path of globSync('lib/**/*.{js,d.ts}', { cwd: work })) {
    const text = readFileSync(join(work, path), 'utf8');
    writeFileSync(join(work, path), text.replaceAll(relativePlace, '$1$2.js$1'));
  }
}

function libraryManifest({ license, engines, exports, optionalDependencies }: Manifest, version: string): object {
  const entries = Object.entries(exports).map(([name, path]): [string, string | object] => {
    if (!path.startsWith('./src/')) return [name, path];
    const built = path.replace('./src/', './lib/').replace(/\.ts$/, '');
    return [name, { types: `${built}.d.ts`, default: `${built}.js` }];
  });
  const description = 'Watches local processes by the beats that they send, and encodes beats.';
  return {
    ...{ name: 'adit', version, description, license, type: 'module', engines },
    exports: Object.fromEntries(entries),
    files: ['lib', ...legal],
    optionalDependencies: { koffi: optionalDependencies.koffi },
  };
}
