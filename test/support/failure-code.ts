import { AppError, type AppErrorCode } from '../../src/lib/app-error.ts';

/** The code of the AppError that `promise` rejects with. */
export async function failureCode(promise: Promise<unknown>): Promise<AppErrorCode> {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AppError)) throw new Error('it did not fail with an AppError', { cause: error });
  return error.code;
}
