import { AccessError, type FieldProblem } from '../access/access-error.ts';
import { FleetError } from '../fleet-error.ts';
import { errorMessage } from '../../lib/app-error.ts';
import type { Role } from '../store/access-schema.ts';

interface RefusalExtras {
  readonly details?: readonly FieldProblem[];
  readonly required_role?: Role;
  /** Seconds, for `Retry-After`. */
  readonly retryAfter?: number;
}

/** A request that is refused here, before or after it reached the fleet. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: string;
  readonly extras: RefusalExtras;

  constructor(status: number, code: string, message: string, extras: RefusalExtras = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.extras = extras;
  }
}

export interface RefusalAnswer {
  readonly status: number;
  readonly body: {
    readonly error: string;
    readonly error_code: string;
    readonly details?: readonly FieldProblem[];
    readonly required_role?: Role;
  };
  /** A fault of ours or of the database: worth a line in the log. */
  readonly logged: boolean;
}

/** What a client gets for anything thrown. It gets no detail of our own faults. */
export function refusalOf(error: unknown): RefusalAnswer {
  if (error instanceof Refusal) {
    const { details, required_role } = error.extras;
    const extras = { ...(details && { details }), ...(required_role && { required_role }) };
    return { status: error.status, body: { error: error.message, error_code: error.code, ...extras }, logged: false };
  }
  if (error instanceof FleetError) {
    const code = error.nodeErrorCode ?? error.code;
    const details = error.field !== null && { details: [{ path: error.field, message: error.message }] };
    return { status: error.status, body: { error: error.message, error_code: code, ...details }, logged: false };
  }
  if (error instanceof AccessError) {
    const details = error.details.length > 0 && { details: error.details };
    return { status: error.status, body: { error: error.message, error_code: error.code, ...details }, logged: false };
  }
  return unexpected(error);
}

function unexpected(error: unknown): RefusalAnswer {
  const status = clientStatus(error);
  if (status !== null) {
    return { status, body: { error: errorMessage(error), error_code: 'bad_request' }, logged: false };
  }
  if (isClash(error)) {
    const body = {
      error: 'Somebody has changed what this refers to meanwhile. Read it again.',
      error_code: 'conflict',
    };
    return { status: 409, body, logged: true };
  }
  if (isDatabaseAway(error)) {
    const body = { error: 'The database is away. Try again soon.', error_code: 'unavailable' };
    return { status: 503, body, logged: true };
  }
  return { status: 500, body: { error: 'internal error', error_code: 'internal_error' }, logged: true };
}

/** The status of an error of the framework about the request. */
function clientStatus(error: unknown): number | null {
  if (!(error instanceof Error) || !('statusCode' in error)) return null;
  const { statusCode } = error;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : null;
}

/** PostgreSQL: foreign_key_violation and unique_violation. */
const clashCodes: readonly unknown[] = ['23503', '23505'];

/** Two changes at once that the database does not have together: one of them was first. */
function isClash(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && clashCodes.includes(error.code)) return true;
  return /^(UNIQUE|FOREIGN KEY) constraint failed/.test(error.message);
}

const databaseAway = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|57P0|08|53|SQLITE_(FULL|IOERR|BUSY)|ERR_SQLITE)/;

function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && error.code === 'io-failed') return true;
  if ('code' in error && typeof error.code === 'string' && databaseAway.test(error.code)) return true;
  return /connection terminated|timeout exceeded when trying to connect|database or disk is full/i.test(error.message);
}
