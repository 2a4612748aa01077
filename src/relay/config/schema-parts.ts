import { z } from 'zod';
import { parseSocketAddress } from '../../lib/socket-address.ts';

/** `ip:port`, IPv6 in brackets. */
export const socketAddressText = z.string().refine((text) => parseSocketAddress(text) !== null, {
  error: 'is not an address of the form ip:port; write for example "0.0.0.0:4433" or "[::]:4433"',
});

/** Addresses to listen on, each once. */
export const listenAddresses = z
  .array(socketAddressText)
  .min(1, { error: 'is empty; list at least one ip:port, or leave the key out' })
  .refine((list) => new Set(list).size === list.length, { error: 'names an address twice; list each once' });

export const hex64 = z.string().regex(/^[0-9a-f]{64}$/i, {
  error: 'is not 64 hex characters; make one with: adit keygen',
});

/** A whole number within bounds, told with both in the error. */
export function whole(min: number, max: number): z.ZodInt {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** A number of seconds, fractions allowed. */
export function seconds(min: number, max: number): z.ZodNumber {
  const error = `must be a number of seconds from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
}

export function flag(): z.ZodBoolean {
  return z.boolean({ error: 'must be true or false, without quotes' });
}

export function text(): z.ZodString {
  return z.string({ error: 'must be a text in quotes' }).min(1, { error: 'is empty; leave the key out instead' });
}
