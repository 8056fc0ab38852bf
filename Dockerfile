FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Among the optional packages is Node itself, which this image has; the `prepare` script only links the CLI, as is done below.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && rm -rf node_modules/node-linux-* node_modules/.bin/node
COPY profiles profiles
COPY src src
# Whatever the umask of the checkout was: `node` may read everything and change nothing.
RUN chmod -R u=rwX,go=rX . && chmod 755 src/main.ts

FROM node:24-slim
# HOST: loopback would be this container's own. KINDRED_AUTH=off is refused on 0.0.0.0, and should be.
# KINDRED_STORE: for a server without MongoDB; mount a volume at /data, or its records go with the container:
#   docker run --init --read-only --stop-timeout 30 -p 127.0.0.1:8080:8080 -v kindred-data:/data kindred
ENV NODE_ENV=production \
    NODE_OPTIONS=--disable-warning=ExperimentalWarning \
    HOST=0.0.0.0 \
    PORT=8080 \
    KINDRED_STORE=sqlite:/data/kindred.db \
    KINDRED_MAIL=dir:/data/mail
# /data is all that is ever written, and a new volume takes its owner from here.
RUN ln -s /app/src/main.ts /usr/local/bin/kindred && install -d -o node -g node -m 700 /data
WORKDIR /app
COPY --from=build /app ./
USER node
EXPOSE 8080
# With Node, since slim has no curl.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/readyz').then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# No shell in between: signals reach the server, and `docker run … kindred token …` takes the CLI's words.
ENTRYPOINT ["kindred"]
