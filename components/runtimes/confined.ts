import { CONTAINER_PORTS, SERVER_UID } from "../../configs/container";

/** What all containers have in common: what runs there may not do more than it needs. */
export const CONFINED = {
  user: `${SERVER_UID}:${SERVER_UID}`,
  readOnly: true,
  capabilities: { drops: ["ALL"] },
  securityOpts: ["no-new-privileges"],
  // What it runs is started by a resource of its own, once its files are there; stopped, it is no reason to replace the
  // container.
  start: false,
  mustRun: false,
  // Without an explicit signal, one sent through Docker by hand would end the policy (see docs/docker.md).
  restart: "always",
  stopSignal: "SIGTERM",
  logDriver: "json-file",
};

/** The watcher ends within a second; what a look at it takes is a second Node.js for a moment. */
export const WATCHER_STOP_SECONDS = 10;
export const WATCHER_MEBIBYTES = 192;

/** The plain official image holds nothing but nats-server: nothing in it could ask the server. */
const hasShell = (image: string): boolean => /alpine/.test(image);

const HEALTH_CHECK = {
  tests: [
    "CMD",
    "wget",
    "-q",
    "-O",
    "/dev/null",
    `http://127.0.0.1:${CONTAINER_PORTS.monitor}/healthz?js-enabled-only=true`,
  ],
  interval: "10s",
  timeout: "5s",
  startPeriod: "30s",
  retries: 3,
};

/** What a container of the image has for a health check; nothing where nothing in it could run one. */
export const healthCheck = (image: string) => (hasShell(image) ? { healthcheck: HEALTH_CHECK } : {});
