import { expect, it } from 'vitest';
import { createAdminApp } from '../../../src/admin/admin-app.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';

it('the document of a REST API is made again after a first time that failed', async () => {
  let asked = 0;
  const own = {
    add: () => undefined,
    get paths() {
      asked += 1;
      if (asked === 1) throw new Error('no file can be opened now');
      return { '/own': { get: {} } };
    },
    securitySchemes: {},
  };
  const logger = new RecordingLogger();
  const dependencies = { routes: [], own, metrics: async () => '', logger };
  const app = await createAdminApp(dependencies, { title: 'Adit', apiToken: null });
  const ask = () => app.inject({ method: 'GET', url: '/api/v1/openapi.json' });
  expect((await ask()).statusCode).toBe(500);
  const second = await ask();
  expect(second.statusCode).toBe(200);
  expect(second.json()).toMatchObject({ paths: { '/own': { get: {} } } });
  await ask();
  expect(asked).toBe(2);
});
