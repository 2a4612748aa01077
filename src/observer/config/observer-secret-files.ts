import { secretFiles } from '../../config/exposed-secrets.ts';
import type { ObserverFile } from './config-schema.ts';

/** The files of an observer that must be secret, beside those that it refuses unless they are. */
export function observerSecretFiles(path: string, config: Readonly<ObserverFile>): readonly string[] {
  return secretFiles(path, config, [config.credentials_path]);
}
