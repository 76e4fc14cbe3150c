# syntax=docker/dockerfile:1

# Certbell in a container: not root, nothing to write but the state, no shell needed.
#   docker build -t certbell .
#   docker run --rm -v certbell:/var/lib/certbell -e MONITOR_DOMAINS=example.com -e SLACK_WEBHOOK certbell
# deploy/compose.yaml has the same with the root file system read-only.

FROM node:24-alpine AS build
WORKDIR /build
COPY package.json package-lock.json ./
# Without scripts: `prepare` would build before the sources are here, and the compiler needs none.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# As `npm run build`, but with this image's Node and not one that npm put first on the PATH.
RUN node scripts/build.ts

FROM node:24-alpine AS production
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-alpine
LABEL org.opencontainers.image.title="certbell" \
      org.opencontainers.image.description="Rings in Slack within seconds when a certificate is issued for a name you watch" \
      org.opencontainers.image.licenses="MIT"

COPY package.json /app/
COPY --from=production /build/node_modules /app/node_modules
COPY --from=build /build/bin /app/bin
COPY --from=build /build/dist /app/dist
COPY --from=build /build/schema /app/schema
# The state is its owner's alone. A named volume takes owner and mode over from here; a bind mount must belong to uid 1000.
RUN ln -s /app/bin/certbell.js /usr/local/bin/certbell \
 && chmod 0755 /app/bin/certbell.js \
 && mkdir -p /etc/certbell /var/lib/certbell \
 && chown node:node /var/lib/certbell \
 && chmod 0700 /var/lib/certbell

# STATE_DIRECTORY is only where state lives if nothing else is said: CERTBELL_STATE_DIR here would silently win over `state` in certbell.yaml.
# Health is for the check below and not for others; CERTBELL_LISTEN=0.0.0.0:8080 shows it and the metrics to the network.
ENV NODE_ENV=production \
    STATE_DIRECTORY=/var/lib/certbell \
    CERTBELL_LISTEN=127.0.0.1:8080
VOLUME ["/var/lib/certbell"]
# certbell.yaml and .env are looked for here, and neither is needed.
WORKDIR /etc/certbell
USER node

# /livez, not /healthz: a dead Slack is no reason to restart.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://' + process.env.CERTBELL_LISTEN.replace('0.0.0.0', '127.0.0.1') + '/livez', { signal: AbortSignal.timeout(4000) }).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]

# SIGTERM: the step in hand is finished, then it ends.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/certbell"]
CMD ["watch"]
