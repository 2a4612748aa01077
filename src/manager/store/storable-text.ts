import { PostgresDialect, PostgresQueryCompiler, type QueryCompiler } from 'kysely';

/**
 * A parameter as both databases can hold it. PostgreSQL refuses NUL in a text, and halves of characters are no UTF-8:
 * each becomes U+FFFD. Without that, one such text of a node would hold up all that waits behind it.
 */
export function storable(parameter: unknown): unknown {
  return typeof parameter === 'string' ? parameter.replaceAll('\0', '\uFFFD').toWellFormed() : parameter;
}

/** Kysely's PostgreSQL with parameters that it can hold. */
export class StorablePostgresDialect extends PostgresDialect {
  override createQueryCompiler(): QueryCompiler {
    return new StorablePostgresCompiler();
  }
}

class StorablePostgresCompiler extends PostgresQueryCompiler {
  protected override addParameter(parameter: unknown): void {
    super.addParameter(storable(parameter));
  }
}
