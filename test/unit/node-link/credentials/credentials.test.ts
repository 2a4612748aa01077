import { describe, expect, it } from 'vitest';
import {
  candidateSecrets,
  confirm,
  rotate,
  type Credentials,
} from '../../../../src/node-link/credentials/credentials.ts';

const fresh: Credentials = { nodeId: 'n', secret: 's0', previousSecrets: [] };

function rotated(credentials: Credentials, secret: string): Credentials {
  const rotation = rotate(credentials, secret);
  if (rotation.kind !== 'rotated') throw new Error(rotation.kind);
  return rotation.credentials;
}

describe('rotation', () => {
  it('keeps every secret since the last accepted one, newest first', () => {
    const twice = rotated(rotated(fresh, 's1'), 's2');
    expect(candidateSecrets(twice)).toEqual(['s2', 's1', 's0']);
  });

  it('to the secret in force changes nothing', () => {
    expect(rotate(fresh, 's0')).toEqual({ kind: 'unchanged' });
  });

  it('back to an earlier secret does not keep it twice', () => {
    expect(candidateSecrets(rotated(rotated(fresh, 's1'), 's0'))).toEqual(['s0', 's1']);
  });

  it('is refused with eight unconfirmed secrets', () => {
    let credentials = fresh;
    for (let count = 1; count <= 8; count++) credentials = rotated(credentials, `s${count}`);
    expect(credentials.previousSecrets).toHaveLength(8);
    expect(rotate(credentials, 's9')).toEqual({ kind: 'too-many-unconfirmed' });
  });

  it('ends when the manager accepts any of them: that one is the only one', () => {
    const twice = rotated(rotated(fresh, 's1'), 's2');
    expect(confirm(twice, 's1')).toEqual({ nodeId: 'n', secret: 's1', previousSecrets: [] });
    expect(confirm(fresh, 's0')).toBe(fresh);
  });
});
