import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { AppError, errorMessage } from '../../lib/app-error.ts';

/** One file of the page, as a browser gets it. */
export interface PageFile {
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
  /** Quoted, as in the `etag` header. */
  readonly etag: string;
}

const source = new URL('../../../web/', import.meta.url);

/**
 * Bundles the page's sources in memory, so that no built file can be older than its source; 0.4 s at start. Rejects
 * with AppError `io-failed` when the sources do not build.
 */
export async function bundlePage(): Promise<readonly PageFile[]> {
  const [html, icon, built] = await Promise.all([
    readFile(new URL('index.html', source)),
    readFile(new URL('icon.svg', source)),
    bundle(),
  ]);
  return [
    file('/index.html', 'text/html; charset=utf-8', html),
    file('/icon.svg', 'image/svg+xml', icon),
    file('/page.js', 'text/javascript; charset=utf-8', built.script),
    file('/page.css', 'text/css; charset=utf-8', built.style),
  ];
}

/** How many are under way. */
let builds = 0;

async function bundle(): Promise<{ readonly script: Buffer; readonly style: Buffer }> {
  // Loaded here: only a manager that serves the page needs it.
  const { build, stop } = await import('esbuild');
  builds += 1;
  try {
    const { outputFiles } = await build({
      entryPoints: {
        page: fileURLToPath(new URL('src/main.tsx', source)),
        style: fileURLToPath(new URL('src/style/main.css', source)),
      },
      outdir: 'page',
      bundle: true,
      write: false,
      minify: true,
      format: 'esm',
      target: ['es2022'],
      jsx: 'automatic',
      jsxImportSource: 'preact',
      legalComments: 'none',
      logLevel: 'silent',
    });
    const named = (end: string) => Buffer.from(outputFiles.find(({ path }) => path.endsWith(end))?.contents ?? []);
    return { script: named('page.js'), style: named('style.css') };
  } catch (cause) {
    throw new AppError('io-failed', `the page could not be built: ${errorMessage(cause)}`, { cause });
  } finally {
    // esbuild's process would stay, with 30 MB. It is one for all builds of this process.
    builds -= 1;
    if (builds === 0) await stop();
  }
}

function file(path: string, type: string, body: Buffer): PageFile {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { path, type, body, etag };
}
