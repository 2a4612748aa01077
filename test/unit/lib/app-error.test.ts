import { describe, expect, it } from 'vitest';
import { AppError, errorMessage } from '../../../src/lib/app-error.ts';

describe('AppError', () => {
  it('carries a code, a message and its cause', () => {
    const cause = new Error('disk full');
    const error = new AppError('io-failed', 'could not write state', { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'AppError', code: 'io-failed', message: 'could not write state', cause });
  });
});

describe('errorMessage', () => {
  it('joins the messages of an error and its causes', () => {
    const error = new AppError('io-failed', 'could not write state', {
      cause: new Error('disk full', { cause: 'ENOSPC' }),
    });
    expect(errorMessage(error)).toBe('could not write state: disk full: ENOSPC');
  });

  it('says nothing twice: a cause whose words the message has already is passed over', () => {
    const cause = new Error('127.0.0.1:1: in use', { cause: new Error('EADDRINUSE') });
    expect(errorMessage(new AppError('address-unavailable', 'no: 127.0.0.1:1: in use', { cause }))).toBe(
      'no: 127.0.0.1:1: in use: EADDRINUSE',
    );
  });

  it('takes anything that can be thrown', () => {
    expect(errorMessage('text')).toBe('text');
    expect(errorMessage({ reason: 1 })).toBe('{ reason: 1 }');
    expect(errorMessage(new TypeError())).toBe('TypeError');
    expect(errorMessage(undefined)).toBe('undefined');
  });

  it('ends where causes go round in a circle', () => {
    const error = new Error('round');
    error.cause = error;
    expect(errorMessage(error)).toBe('round');
  });
});
