import { AppError } from './app-error.ts';

/** Whether a file operation failed because there is nothing at the path (ENOENT). */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/**
 * What `read` gives; null where there is no file at `path`. Rejects with AppError `io-failed`, which names the path.
 */
export async function readIfThere<Content>(path: string, read: () => Promise<Content>): Promise<Content | null> {
  try {
    return await read();
  } catch (cause) {
    if (isMissing(cause)) return null;
    throw new AppError('io-failed', `could not read ${path}`, { cause });
  }
}
