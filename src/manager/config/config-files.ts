import { X509Certificate } from 'node:crypto';
import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ConfigProblem } from '../../config/config-problem.ts';
import { foldersProblems } from '../../config/writable-folder.ts';
import { errorMessage } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import { loadTlsIdentity } from '../../quic/tls-material.ts';
import type { ManagerConfig } from './manager-config.ts';

/** What is wrong with the files and folders that a manager's config names. Touches none of them, dials nothing. */
export async function checkManagerFiles(
  config: ManagerConfig,
  clock: Pick<Clock, 'now'>,
): Promise<readonly ConfigProblem[]> {
  const { database, state_dir, master_key_path: key, logging, oidc } = config;
  const target = logging.json_target;
  const sqlitePath = /^sqlite:(.+)$/.exec(database.url)?.[1];
  const folders = {
    state_dir,
    'database.url': sqlitePath === undefined ? null : dirname(sqlitePath),
    master_key_path: key === null ? null : dirname(key),
    'logging.json_target.path': target?.kind === 'file' ? dirname(target.path) : null,
  };
  return [
    ...(await certificateProblems(config, clock)),
    ...(await foldersProblems(folders)),
    ...(oidc === null ? [] : await readableProblems('oidc.client_secret_path', oidc.client_secret_path)),
  ];
}

async function certificateProblems(
  { tls_cert_path: certificatePath, tls_key_path: keyPath }: ManagerConfig,
  clock: Pick<Clock, 'now'>,
): Promise<readonly ConfigProblem[]> {
  if (certificatePath === null || keyPath === null) return [];
  try {
    const { certificate } = await loadTlsIdentity(certificatePath, keyPath);
    const expired = new X509Certificate(certificate).validToDate.getTime() <= clock.now();
    const problem = 'names a certificate that has expired';
    return expired ? [{ path: 'tls_cert_path', problem, remedy: 'renew it; nodes and browsers refuse it' }] : [];
  } catch (error) {
    const problem = `cannot be used: ${errorMessage(error)}`;
    return [{ path: 'tls_cert_path', problem, remedy: 'name a PEM certificate and its key, both readable' }];
  }
}

async function readableProblems(path: string, file: string): Promise<readonly ConfigProblem[]> {
  try {
    await access(file, constants.R_OK);
    return [];
  } catch {
    return [{ path, problem: `names ${file}, which cannot be read`, remedy: 'name a file that holds the secret' }];
  }
}
