import { realJournalFiles, type AppendFile, type JournalFiles } from '../../../src/node-link/journal/journal-files.ts';

/**
 * Real files that fail on demand: writing as on a full disk, reading as without file descriptors, syncing as on a
 * broken disk. Or syncing does not end, as on a disk that hangs.
 */
export class FailingJournalFiles implements JournalFiles {
  failing: 'nothing' | 'writes' | 'reads' | 'syncs' | 'syncs without end' = 'nothing';
  openFiles = 0;
  readonly claim = (directory: string) => realJournalFiles.claim(directory);
  readonly makeDirectory = (path: string) => realJournalFiles.makeDirectory(path);
  readonly list = (path: string) => realJournalFiles.list(path);
  readonly size = (path: string) => realJournalFiles.size(path);
  readonly truncate = (path: string, length: number) => realJournalFiles.truncate(path, length);
  readonly remove = (path: string) => realJournalFiles.remove(path);

  read(path: string, offset: number, length: number): Buffer {
    if (this.failing === 'reads') throw new Error('too many open files');
    return realJournalFiles.read(path, offset, length);
  }

  openForAppend(path: string): AppendFile {
    this.#checkWrites();
    const file = realJournalFiles.openForAppend(path);
    this.openFiles++;
    return {
      append: (data) => {
        this.#checkWrites();
        file.append(data);
      },
      isInPlace: () => file.isInPlace(),
      readAll: () => file.readAll(),
      sync: async () => {
        if (this.failing === 'syncs') throw new Error('input/output error');
        if (this.failing === 'syncs without end') await new Promise(() => undefined);
        await file.sync();
      },
      close: () => {
        this.openFiles--;
        file.close();
      },
    };
  }

  replace(path: string, data: string): void {
    this.#checkWrites();
    realJournalFiles.replace(path, data);
  }

  #checkWrites(): void {
    if (this.failing === 'writes') throw new Error('no space left on device');
  }
}
