import { readFile } from 'node:fs/promises';
import { AppError, errorMessage } from '../lib/app-error.ts';

/**
 * The content of a JSON file that a person has written. Rejects with AppError `config-invalid`, which names the file
 * and what to mend without quoting the text: it may hold secrets.
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
  } catch (error) {
    throw new AppError('config-invalid', `${path} is not JSON; ${jsonProblem(text, errorMessage(error))}`);
  }
}

const byteOrderMark = '\uFEFF';

/** Some editors begin a file with a byte-order mark, which no JSON parser takes. */
export function splitByteOrderMark(text: string): { readonly mark: string; readonly rest: string } {
  const mark = text.startsWith(byteOrderMark) ? byteOrderMark : '';
  return { mark, rest: text.slice(mark.length) };
}

/** What is wrong and where. Node's own message may quote the text, so only the place is taken from it. */
function jsonProblem(text: string, message: string): string {
  if (text.trim() === '') return 'it is empty';
  const comma = text.search(/,\s*[}\]]/);
  if (comma >= 0) return `line ${text.slice(0, comma).split('\n').length} ends with a comma that nothing follows`;
  const comment = text.search(/^\s*\/[/*]/m);
  if (comment >= 0) return 'it has a comment, and JSON knows none: remove it';
  const [, line, column] = /\(line (\d+) column (\d+)\)$/.exec(message) ?? [];
  const place = line === undefined ? '' : ` at line ${line}, column ${column}, or just before it`;
  return `check commas, quotes and brackets${place}`;
}
