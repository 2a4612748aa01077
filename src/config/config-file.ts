import { readFile } from 'node:fs/promises';
import { AppError } from '../lib/app-error.ts';
import { realFileSystem, writeFileAtomically, type FileSystem } from '../lib/atomic-file.ts';
import { splitByteOrderMark } from './json-file.ts';
import { editJson, type JsonEdit } from './json-edit.ts';
import { readIfThere } from '../lib/read-if-there.ts';
import { TurnQueue } from '../lib/turn-queue.ts';

export interface ConfigFileSystem extends FileSystem {
  /** Rejects with ENOENT where there is no file. */
  readText(path: string): Promise<string>;
}

export const realConfigFileSystem: ConfigFileSystem = {
  ...realFileSystem,
  readText: (path) => readFile(path, 'utf8'),
};

/**
 * The one writer of a JSON file that an operator also edits. Every change reads the file anew, changes only its own
 * keys and replaces the file whole; changes queue behind each other, so none can undo another.
 */
export class ConfigFile {
  readonly path: string;
  readonly #fileSystem: ConfigFileSystem;
  readonly #turns = new TurnQueue();

  constructor(fileSystem: ConfigFileSystem, path: string) {
    this.#fileSystem = fileSystem;
    this.path = path;
  }

  /** The file's value now, or null where there is no file. Rejects with AppError `io-failed` or `config-invalid`. */
  async read(): Promise<unknown> {
    const text = await this.#readText();
    return text === null ? null : parse(splitByteOrderMark(text).rest, this.path);
  }

  /** Applies the edits; as `change` otherwise. */
  edit(edits: readonly JsonEdit[]): Promise<void> {
    return this.change(() => edits);
  }

  /**
   * Applies the edits that follow from the file's present content; makes the file (mode 0600) where there is none.
   * Rejects with AppError `io-failed` or `config-invalid`, or with what `editsFor` throws, and then leaves the old file
   * (except as writeFileAtomically says).
   */
  change(editsFor: (content: unknown) => readonly JsonEdit[]): Promise<void> {
    return this.#turns.run(async () => {
      const { mark, rest } = splitByteOrderMark((await this.#readText()) ?? '{}\n');
      const edited = applyEdits(rest, editsFor(parse(rest, this.path)), this.path);
      if (edited !== rest) await writeFileAtomically(this.path, mark + edited, this.#fileSystem);
    });
  }

  /** Replaces the file by itself: the only sure answer to "could it be written?" on mounts and odd file systems. */
  proveWritable(): Promise<void> {
    return this.#turns.run(async () => {
      await writeFileAtomically(this.path, (await this.#readText()) ?? '{}\n', this.#fileSystem);
    });
  }

  #readText(): Promise<string | null> {
    return readIfThere(this.path, () => this.#fileSystem.readText(this.path));
  }
}

/** The parser's own message is not passed on: it quotes the text, which holds secrets. */
function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new AppError('config-invalid', `${path} is not JSON any more`);
  }
}

function applyEdits(text: string, edits: readonly JsonEdit[], path: string): string {
  try {
    return editJson(text, edits);
  } catch (error) {
    throw new AppError('config-invalid', `${path} does not have the expected form`, { cause: error });
  }
}
