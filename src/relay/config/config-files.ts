import { X509Certificate } from 'node:crypto';
import { dirname } from 'node:path';
import { errorMessage } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ConfigProblem } from '../../config/config-problem.ts';
import { foldersProblems } from '../../config/writable-folder.ts';
import { loadTlsIdentity } from '../../quic/tls-material.ts';
import type { RelayConfig } from './relay-config.ts';

/** What is wrong with the files and folders that a relay's config names; touches none of them. */
export async function checkRelayFiles(
  config: RelayConfig,
  clock: Pick<Clock, 'now'>,
): Promise<readonly ConfigProblem[]> {
  const { manager, state_dir, credentials_path: credentials, logging } = config;
  const target = logging.json_target;
  const folders = {
    state_dir,
    credentials_path: manager.enabled && credentials !== null ? dirname(credentials) : null,
    'logging.json_target.path': target?.kind === 'file' ? dirname(target.path) : null,
  };
  return [...(await certificateProblems(config, clock)), ...(await foldersProblems(folders))];
}

async function certificateProblems(config: RelayConfig, clock: Pick<Clock, 'now'>): Promise<readonly ConfigProblem[]> {
  const { tls_cert_path: certificatePath, tls_key_path: keyPath } = config;
  if (certificatePath === null || keyPath === null) return [];
  try {
    const { certificate } = await loadTlsIdentity(certificatePath, keyPath);
    const expired = new X509Certificate(certificate).validToDate.getTime() <= clock.now();
    const problem = 'names a certificate that has expired';
    return expired ? [{ path: 'tls_cert_path', problem, remedy: 'renew it; edges that verify it refuse it' }] : [];
  } catch (error) {
    const problem = `cannot be used: ${errorMessage(error)}`;
    return [{ path: 'tls_cert_path', problem, remedy: 'name a PEM certificate and its key, both readable' }];
  }
}
