import type { Random } from '../../lib/random.ts';
import { Receiver, type ReceiverDependencies } from './receiver.ts';
import { Sender, type SenderDependencies } from './sender.ts';
import type { SrtAgreement } from './srt-agreement.ts';
import type { SrtSettings } from './srt-settings.ts';
import { TransmitKeys } from './transmit-keys.ts';
import { Tsbpd } from './tsbpd.ts';

/** The sender keeps a packet at least this long (draft-sharabayko-srt-01 §4.6). */
const leastKeepUs = 1_000_000;

/** Null when the connection is not encrypted. */
export function createTransmitKeys(
  random: Random,
  { keys }: SrtAgreement,
  { passphrase, keyRefreshPackets, keyAnnouncePackets }: SrtSettings,
): TransmitKeys | null {
  if (keys === null || passphrase === null) return null;
  const { keyBytes } = keys;
  const settings = { passphrase, keyBytes, refreshPackets: keyRefreshPackets, announcePackets: keyAnnouncePackets };
  return new TransmitKeys(random, settings, keys.stream);
}

export function createReceiver(
  dependencies: Omit<ReceiverDependencies, 'tsbpd'>,
  agreement: SrtAgreement,
  settings: SrtSettings,
): Receiver {
  const tsbpd = new Tsbpd(agreement.heardAtUs, agreement.heardTimestamp, agreement.receiveLatencyMs * 1000);
  return new Receiver(
    { ...dependencies, tsbpd },
    {
      initialSequence: agreement.initialSequence,
      bufferPackets: settings.receiveBufferPackets,
      tooLateDrop: settings.tooLateDrop,
      lossMaxTtl: settings.lossMaxTtl,
    },
  );
}

export function createSender(dependencies: SenderDependencies, agreement: SrtAgreement, settings: SrtSettings): Sender {
  const { sendDropDelayMs, tooLateDrop } = settings;
  const keepUs = Math.max(leastKeepUs, 1.25 * agreement.sendLatencyMs * 1000) + sendDropDelayMs * 1000;
  return new Sender(dependencies, {
    initialSequence: agreement.initialSequence,
    destination: agreement.peerSocketId,
    startUs: agreement.startUs,
    bufferPackets: settings.sendBufferPackets,
    flightWindow: agreement.flightWindow,
    giveUpAfterUs: sendDropDelayMs < 0 || !tooLateDrop ? Number.POSITIVE_INFINITY : keepUs,
    patientRetransmit: settings.patientRetransmit,
    latencyUs: agreement.sendLatencyMs * 1000,
    bandwidth: settings.bandwidth,
    retransmitBytesPerSecond: settings.retransmitBytesPerSecond,
  });
}
