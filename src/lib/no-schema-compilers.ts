import { AppError } from './app-error.ts';

const compile = (): never => {
  throw new AppError('bug', 'this app has no compiler for the JSON Schema of a route');
};

/**
 * For a fastify app whose routes have no JSON Schemas. Without it the framework loads two compilers for them, which
 * stay in memory for nothing.
 */
export const noSchemaCompilers = {
  compilersFactory: { buildValidator: () => compile, buildSerializer: () => compile },
};
