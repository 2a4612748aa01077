/** Why the right to bind was refused, in events (docs/protocol/events.md) and between parts of the relay. */
export type BindRefusal = 'invalid-token' | 'proof-required' | 'not-authorised' | 'revoked';
