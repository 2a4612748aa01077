import type { ObserverFile } from './config-schema.ts';

/** Whether UDP beats must be encrypted. */
export function usesSecureUdp(
  config: Pick<ObserverFile, 'key_file' | 'accepted_key_file' | 'master_key_file'>,
): boolean {
  return config.key_file !== null || config.accepted_key_file !== null || config.master_key_file !== null;
}

/** The operator vouches for the UDP listener. */
export function acceptsRecovery(file: ObserverFile): boolean {
  return usesSecureUdp(file)
    ? file.secure_udp_i_accept_recovery_on_unauthenticated_transport
    : file.plaintext_udp_i_accept_recovery_on_unauthenticated_transport;
}
