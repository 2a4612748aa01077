import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { Oidc } from '../access/oidc.ts';
import { SignIn } from '../access/sign-in.ts';
import { Users } from '../access/users.ts';
import type { ApiContext, ApiExtension, RegisterApi } from '../extension-points.ts';
import { DashboardFeed } from '../live/dashboard-feed.ts';
import { DashboardSockets } from '../live/dashboard-socket.ts';
import { FlapCounter } from '../live/flap-counter.ts';
import { FleetMirror } from '../live/fleet-mirror.ts';
import { FlowHistory } from '../live/flow-history.ts';
import { StatsHistory } from '../live/stats-history.ts';
import { createAccessStore } from '../store/create-access-store.ts';
import { bundlePage } from '../web/bundle-page.ts';
import { servePage } from '../web/serve-page.ts';
import { WebhookDispatcher } from '../webhooks/webhook-dispatcher.ts';
import { administrationRoutes } from './administration-routes.ts';
import type { ApiParts } from './api-parts.ts';
import { admitDashboard } from './dashboard-admission.ts';
import { driftRoutes } from './drift-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { serveEventExport } from './export-events.ts';
import { flowLiveRoutes } from './flow-live-routes.ts';
import { flowRoutes } from './flow-routes.ts';
import { nodeActionRoutes } from './node-action-routes.ts';
import { nodeRoutes } from './node-routes.ts';
import { overviewRoutes } from './overview-routes.ts';
import { otherMethods } from './other-methods.ts';
import { prepareApp, serveDocument } from './prepare-app.ts';
import { serveRoutes } from './serve-routes.ts';
import { sessionRoutes } from './session-routes.ts';
import { serveState } from './state-routes.ts';
import { tunnelRoutes } from './tunnel-routes.ts';
import { webhookRoutes } from './webhook-routes.ts';

const dayMs = 86_400_000;
const pruneEveryMs = 3_600_000;

/** REST, the page, the live feed and the webhooks, on the server that the manager owns. */
export const registerApi: RegisterApi = async (app, context) => {
  const parts = partsOf(context);
  const { mirror, history, flaps, signIn, access } = parts;
  const { clock, logger, config, fleet } = context;
  const page = await bundlePage();
  const feed = new DashboardFeed({ fleet, mirror, flaps, clock });
  const dispatcher = dispatcherOf(context, parts);
  const admit = admitDashboard(signIn, config.public_url);
  const sockets = new DashboardSockets({ feed, mirror, clock, logger, admit });
  const serving = { signIn, logger, publicUrl: config.public_url };
  await prepareApp(app, logger);
  const routes = [...routesOf(context, parts), ...webhookRoutes(parts, dispatcher)];
  const refuseOthers = otherMethods(app);
  app.after(() => {
    serveRoutes(app, routes, serving);
    serveEventExport(app, { fleet, mirror }, serving);
    serveDocument(app, routes, { signIn, softwareVersion: context.softwareVersion });
    serveState(app, context);
    refuseOthers();
    servePage(app, page);
  });
  const started = [mirror, history, flaps, feed, dispatcher];
  for (const one of started) one.start();
  const pruning = clock.setInterval(() => {
    access.trail.prune(clock.now() - config.audit.retention_days * dayMs).catch((error: unknown) => {
      logger.debug({ error }, 'the audit trail could not be pruned');
    });
  }, pruneEveryMs);
  return {
    upgrades: new Map([['/ws/dashboard', (request, socket, head) => sockets.upgrade(request, socket, head)]]),
    firstAdmin: await firstAdmin(signIn),
    stop() {
      pruning.cancel();
      sockets.stop();
      for (const one of started) one.stop();
      return Promise.resolve();
    },
  } satisfies ApiExtension;
};

function partsOf(context: ApiContext): ApiParts {
  const { clock, random, config, certificateFingerprint, fleet, database } = context;
  const access = createAccessStore(database);
  const flowHistory = new FlowHistory(clock);
  return {
    ...{ clock, random, config, certificateFingerprint, fleet, access },
    mirror: new FleetMirror(fleet, clock, config.offline_grace_secs * 1_000),
    history: new StatsHistory(fleet, clock, flowHistory),
    flowHistory,
    flaps: new FlapCounter(fleet, clock),
    signIn: new SignIn({ store: access, clock, random }),
    users: new Users({ store: access, clock, random }),
  };
}

function routesOf(context: ApiContext, parts: ApiParts) {
  return [
    ...sessionRoutes({ signIn: parts.signIn, oidc: oidcOf(context, parts) }),
    ...overviewRoutes(parts),
    ...nodeRoutes(parts),
    ...nodeActionRoutes(parts),
    ...tunnelRoutes(parts),
    ...flowLiveRoutes(parts),
    ...flowRoutes(parts),
    ...driftRoutes(parts),
    ...eventRoutes(parts),
    ...administrationRoutes(parts),
  ];
}

function oidcOf({ config, sealing, clock, random }: ApiContext, { access }: ApiParts): Oidc | null {
  const { oidc } = config;
  if (oidc === null) return null;
  const settings = {
    issuer: oidc.issuer,
    clientId: oidc.client_id,
    clientSecretPath: oidc.client_secret_path,
    groupsClaim: oidc.groups_claim,
    roles: oidc.roles,
  };
  return new Oidc({ store: access, sealing, clock, random }, settings);
}

function dispatcherOf(context: ApiContext, { access }: ApiParts): WebhookDispatcher {
  const { fleet, sealing, clock, random, logger, config } = context;
  const settings = { allowPrivate: config.webhooks.allow_private, graceMs: config.offline_grace_secs * 1_000 };
  return new WebhookDispatcher({ fleet, store: access, sealing, clock, random, logger }, settings);
}

/**
 * The path of the one-time link for the first administrator. Null if there is a user, or if `ADIT_ADMIN_PASSWORD_FILE`
 * has the password of the user `admin`, which is then made.
 */
async function firstAdmin(signIn: SignIn): Promise<string | null> {
  const token = await signIn.offerFirstAdmin();
  const file = process.env['ADIT_ADMIN_PASSWORD_FILE'];
  if (token === null || file === undefined) return token === null ? null : `/first-admin#${token}`;
  await signIn.createFirstAdmin('admin', (await readFile(file, 'utf8')).trim(), null);
  return null;
}
