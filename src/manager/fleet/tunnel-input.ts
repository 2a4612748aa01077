import { parseSocketAddress } from '../../lib/socket-address.ts';
import type { NewTunnelInput } from '../fleet.ts';
import { FleetError } from '../fleet-error.ts';
import type { TunnelChange } from '../store/schema.ts';

const maxNameChars = 256;
const maxDescriptionChars = 10_000;
/** As the end of a tunnel: a media flow of that edge, in place of an address. */
const endsInFlow = 'flow';

/** The columns that an operator's input sets. Throws FleetError `invalid`. */
export function tunnelFields({
  name,
  description,
  protocol,
  source,
  destination,
}: Partial<NewTunnelInput>): TunnelChange {
  return {
    ...(name !== undefined && { name: tunnelName(name) }),
    ...(description !== undefined && { description: description.replaceAll('\0', '').slice(0, maxDescriptionChars) }),
    ...(protocol !== undefined && { protocol }),
    ...(source !== undefined && {
      source_node_id: source.node_id,
      source_listen: localAddress(source.listen, 'source.listen', 0),
    }),
    ...(destination !== undefined && {
      destination_node_id: destination.node_id,
      destination_forward: localAddress(destination.forward, 'destination.forward', 1),
    }),
  };
}

export function refuseUnsupported({ mode, transport }: Partial<NewTunnelInput>): void {
  if (mode !== undefined && mode !== 'relay')
    throw new FleetError('invalid', `mode ${mode} is not supported; use relay`);
  if (transport !== undefined && transport !== 'quic') {
    throw new FleetError('invalid', `transport ${transport} is not supported; use quic`);
  }
}

/** Throws FleetError `invalid` where an end is a media flow and the tunnel does not carry datagrams. */
export function refuseFlowOverTcp(protocol: string, ends: readonly string[]): void {
  if (protocol !== 'udp' && ends.includes(endsInFlow)) {
    throw new FleetError('invalid', 'an end is "flow", and flows need protocol udp', { field: 'protocol' });
  }
}

export function localAddress(text: string, field: string, minPort: number): string {
  if (text === endsInFlow) return text;
  const address = parseSocketAddress(text);
  const usable = address !== null && address.port >= minPort;
  if (!usable) {
    const message = `${field} is neither ip:port nor flow; write for example 127.0.0.1:9000`;
    throw new FleetError('invalid', message, { field });
  }
  return text;
}

export function tunnelName(name: string): string {
  const clean = name.replaceAll('\0', '').toWellFormed().trim();
  if (clean === '') throw new FleetError('invalid', 'a tunnel needs a name', { field: 'name' });
  if (Array.from(clean).length > maxNameChars)
    throw new FleetError('invalid', `a name may have ${maxNameChars} characters`, { field: 'name' });
  return clean;
}
