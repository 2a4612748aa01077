import { readFile } from 'node:fs/promises';
import { AppError } from './app-error.ts';

/**
 * The content of a JSON file that a person has written. Rejects with AppError `config-invalid`, which names the file and what to mend
 * without quoting the text: it may hold secrets.
 */
export async function readJsonFile(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new AppError('config-invalid', `could not read the config file ${path}`, { cause: error });
  }
  try {
    return JSON.parse(splitByteOrderMark(text).rest) as unknown;
  } catch {
    // Node's own message quotes the text.
    throw new AppError('config-invalid', `${path} is not JSON; ${jsonProblem(text)}`);
  }
}

const byteOrderMark = '\uFEFF';

/** Some editors begin a file with a mark that is no part of what it says, and that no JSON parser takes. */
export function splitByteOrderMark(text: string): { readonly mark: string; readonly rest: string } {
  const mark = text.startsWith(byteOrderMark) ? byteOrderMark : '';
  return { mark, rest: text.slice(mark.length) };
}

/** What is wrong, where that can be told without quoting it. */
function jsonProblem(text: string): string {
  if (text.trim() === '') return 'it is empty';
  const comma = text.search(/,\s*[}\]]/);
  if (comma >= 0) return `line ${text.slice(0, comma).split('\n').length} ends with a comma that nothing follows`;
  return 'check commas, quotes and brackets';
}
