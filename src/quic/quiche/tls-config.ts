import quiche from '@matrixai/quic/native/quiche.js';
import { AppError } from '../../lib/app-error.ts';
import { checkTlsIdentity } from '../tls-material.ts';
import type { PeerVerification } from '../peer-verification.ts';
import type { TransportSettings } from '../transport-settings.ts';
import type { TlsIdentity } from '../types.ts';
import type { QuicheConfig } from './binding.ts';

/** Without this list BoringSSL neither offers nor accepts Ed25519. */
const signatureAlgorithms = [
  'ecdsa_secp256r1_sha256',
  'ecdsa_secp384r1_sha384',
  'ed25519',
  'rsa_pss_rsae_sha256',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
].join(':');

/** Room for what one turn of the event loop can bring; quiche drops its oldest beyond it. */
const datagramReceiveQueue = 8192;
/** DatagramQueue hands over far fewer at a time; what waits, waits there. */
const datagramSendQueue = 1024;

/**
 * A connection's window that no peer fills, in place of the configured one. quiche 0.18 never returns the credit of
 * bytes that a reset or stop threw away unread: after some of them the connection would stand still for ever. Budget
 * bounds what waits unread.
 */
const endlessWindow = 2 ** 52;

/**
 * A stream's window at first; quiche opens it further, up to the configured one, while the stream is read quickly. So
 * many streams of a connection, each of which gets little of the line, hold little unread.
 */
const firstStreamWindow = 256 * 1024;

/**
 * What existing edges advertise, and the least that lets their path MTU discovery reach 1452 (docs/protocol/tunnel.md
 * §1).
 */
const minReceivePayload = 1472;

/** Throws AppError `tls-failed`. */
export function serverConfig(tls: TlsIdentity, transport: TransportSettings): QuicheConfig {
  checkTlsIdentity(tls);
  const key = Buffer.from(tls.privateKey);
  const certificate = Buffer.from(tls.certificate);
  return build(transport, () =>
    quiche.Config.withBoringSslCtx(false, false, null, [key], [certificate], signatureAlgorithms),
  );
}

/** Throws AppError `tls-failed`. A fingerprint is checked after the handshake, so it verifies nothing here. */
export function clientConfig(verify: PeerVerification, transport: TransportSettings): QuicheConfig {
  const ca = verify.kind === 'ca' ? Buffer.from(verify.caPem) : null;
  return build(transport, () =>
    quiche.Config.withBoringSslCtx(ca !== null, false, ca, null, null, signatureAlgorithms),
  );
}

function build(transport: TransportSettings, create: () => QuicheConfig): QuicheConfig {
  try {
    const config = create();
    apply(config, transport);
    return config;
  } catch (error) {
    throw new AppError('tls-failed', 'the TLS library refused the settings', { cause: error });
  }
}

function apply(config: QuicheConfig, transport: TransportSettings): void {
  config.setApplicationProtos([transport.alpn]);
  config.setMaxIdleTimeout(transport.idleTimeoutMs);
  config.setMaxRecvUdpPayloadSize(Math.max(minReceivePayload, transport.maxUdpPayload));
  config.setMaxSendUdpPayloadSize(transport.maxUdpPayload);
  config.setInitialMaxData(endlessWindow);
  config.setMaxConnectionWindow(endlessWindow);
  const streamWindow = Math.min(firstStreamWindow, transport.streamWindowBytes);
  config.setInitialMaxStreamDataBidiLocal(streamWindow);
  config.setInitialMaxStreamDataBidiRemote(streamWindow);
  config.setInitialMaxStreamDataUni(streamWindow);
  config.setMaxStreamWindow(transport.streamWindowBytes);
  config.setInitialMaxStreamsBidi(transport.maxBidiStreams);
  config.setInitialMaxStreamsUni(transport.maxUniStreams);
  config.setDisableActiveMigration(false);
  config.enableDgram(true, datagramReceiveQueue, datagramSendQueue);
  // We ignore the send times that it computes. Without it quiche records wrong send times (see WindowFloor).
  config.enablePacing(true);
}
