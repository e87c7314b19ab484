# One file, three images: the coordinator, the worker, and the worker with the simulated TEE.
FROM node:20-bookworm-slim AS build
WORKDIR /sealroom
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build

FROM node:20-bookworm-slim AS runtime
WORKDIR /sealroom
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev && npm cache clean --force

FROM runtime AS coordinator
COPY --from=build /sealroom/prisma prisma
COPY --from=build /sealroom/dist/apps/coordinator dist/apps/coordinator
COPY --from=build /sealroom/dist/libs dist/libs
# What opens envelopes or computes is not even there (SECURITY.md, invariant 1).
RUN rm -rf dist/libs/envelope dist/libs/engine dist/libs/model dist/libs/runtime dist/libs/training dist/libs/query dist/libs/computation dist/libs/attestation dist/libs/client dist/libs/testing \
  && rm -rf node_modules/hpke node_modules/@panva/hpke-noble node_modules/@noble/ciphers node_modules/@duckdb node_modules/onnxruntime-node node_modules/onnxruntime-common \
  && mkdir -m 0700 /data && chown node /data
USER node
ENTRYPOINT ["node", "dist/apps/coordinator/src/sealroom-coordinator.js"]

FROM runtime AS worker
RUN apt-get update && apt-get install -y --no-install-recommends bubblewrap util-linux && rm -rf /var/lib/apt/lists/*
COPY --from=build /sealroom/dist/apps/enclave dist/apps/enclave
COPY --from=build /sealroom/dist/libs dist/libs
# The production worker does not contain the simulator.
RUN rm -rf dist/apps/enclave/src/main-simulated.* dist/apps/enclave/src/simulated-tee.* dist/libs/attestation/src/simulated/issuer.* dist/libs/testing
USER node
ENTRYPOINT ["node", "dist/apps/enclave/src/main.js"]

FROM runtime AS simulated-worker
RUN apt-get update && apt-get install -y --no-install-recommends bubblewrap util-linux && rm -rf /var/lib/apt/lists/*
COPY --from=build /sealroom/dist/apps/enclave dist/apps/enclave
COPY --from=build /sealroom/dist/libs dist/libs
USER node
ENTRYPOINT ["node", "dist/apps/enclave/src/main-simulated.js"]
