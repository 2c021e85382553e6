# The image of `tessera`: compiled code, its runtime dependencies and Node, on a root that may be read-only.
# Build: docker build -t tessera:0.1.0 .
#
# Both bases are pinned by the digest of the named tag. To move one, ask for the digest of the tag
# (docker buildx imagetools inspect gcr.io/distroless/nodejs24-debian13:nonroot) and replace what follows the @.

ARG NODE_IMAGE=node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian13:nonroot@sha256:fbbdda866ea71aef98c4abece17e3d61fbf820cc2ef3961522caa2478716171a

# Install scripts serve development alone (one of them fetches a Node of its own), so none is run.
FROM ${NODE_IMAGE} AS deps
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund

FROM deps AS build
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN node node_modules/typescript/bin/tsc -p tsconfig.build.json
# HAMi's chart calls `scheduler`. The runtime's base has no shell to make a link with, so it is copied from here.
RUN chmod 755 dist/hami-scheduler.js && mkdir -p links/usr/local/bin && ln -s /app/dist/hami-scheduler.js links/usr/local/bin/scheduler

FROM ${NODE_IMAGE} AS prod-deps
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${RUNTIME_IMAGE}
WORKDIR /app
ENV NODE_ENV=production PATH=/usr/local/bin:/usr/bin:/bin
# Watches make much short-lived garbage. A smaller nursery costs nothing measurable and keeps the process a fifth smaller.
ENV NODE_OPTIONS=--max-semi-space-size=16
# The version it states is read from package.json.
COPY --from=prod-deps /app/package.json ./
COPY --from=prod-deps /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/links /
USER 65532:65532
EXPOSE 8443 9395
ENTRYPOINT ["/nodejs/bin/node", "/app/dist/main.js"]
CMD ["serve"]
