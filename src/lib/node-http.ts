import process from 'node:process';

/**
 * node:http without the cost of `import`: an import reads every export of the module, also its WebSocket, and that one
 * loads a whole HTTP client (undici). An idle program would keep 6 MB for it.
 */
export const nodeHttp = process.getBuiltinModule('node:http');
