import { DURATION } from "./durations";
import { LABELS } from "./network";
import type { Field, Fields } from "./schema";

/** What a program may say of a container: the part of the plugin's schema that the test replacement implements. */

const TEXTS: Field = { type: "list", of: { type: "string" } };
const TEXT_SET: Field = { type: "set", of: { type: "string" } };
const AT_LEAST_0 = /^\d+$/;

const duration: Field = { type: "string", default: "0s", pattern: DURATION };

const healthcheck: Fields = {
  tests: TEXTS,
  interval: duration,
  timeout: duration,
  startPeriod: duration,
  startInterval: duration,
  retries: { type: "number", default: 0, pattern: AT_LEAST_0 },
};

const port: Fields = {
  internal: { type: "number", required: true },
  external: { type: "number", computed: true },
  ip: { type: "string", default: "0.0.0.0" },
  protocol: { type: "string", default: "tcp" },
};

const mount: Fields = {
  target: { type: "string", required: true },
  source: { type: "string" },
  type: { type: "string", required: true, pattern: /^(bind|volume|tmpfs)$/ },
  readOnly: { type: "boolean" },
};

const host: Fields = {
  host: { type: "string", required: true },
  ip: { type: "string", required: true },
};

const attached: Fields = {
  name: { type: "string", required: true },
  aliases: TEXT_SET,
  ipv4Address: { type: "string" },
};

export const containerInputs: Fields = {
  name: { type: "string" },
  image: { type: "string", required: true },
  command: { ...TEXTS, computed: true },
  entrypoints: { ...TEXTS, computed: true },
  hostname: { type: "string", computed: true },
  user: { type: "string", emptyIsAbsent: true },
  workingDir: { type: "string", emptyIsAbsent: true },
  envs: { ...TEXT_SET, computed: true },
  labels: { ...LABELS, computed: true },
  readOnly: { type: "boolean", default: false },
  init: { type: "boolean", computed: true, inPlace: true },
  tmpfs: { type: "map", inPlace: true },
  capabilities: { type: "object", fields: { adds: TEXT_SET, drops: TEXT_SET } },
  securityOpts: { ...TEXT_SET, computed: true },
  dnsOpts: TEXT_SET,

  start: { type: "boolean", default: true, inPlace: true },
  mustRun: { type: "boolean", default: true, inPlace: true },
  rm: { type: "boolean", default: false, inPlace: true },
  removeVolumes: { type: "boolean", default: true, inPlace: true },
  destroyGraceSeconds: { type: "number", inPlace: true },
  restart: { type: "string", default: "no", inPlace: true, pattern: /^(no|on-failure|always|unless-stopped)$/ },
  maxRetryCount: { type: "number", inPlace: true },
  stopSignal: { type: "string", computed: true },
  stopTimeout: { type: "number", computed: true },

  memory: { type: "number", inPlace: true, pattern: AT_LEAST_0 },
  memoryReservation: { type: "number", default: 0, inPlace: true, pattern: AT_LEAST_0 },
  memorySwap: { type: "number", inPlace: true, pattern: /^(-1|\d+)$/ },
  cpus: { type: "string" },
  cpuShares: { type: "number", inPlace: true, pattern: AT_LEAST_0 },
  cpuSet: { type: "string", inPlace: true, pattern: /^\d+([,-]\d+)*$/ },

  logDriver: { type: "string", computed: true },
  logOpts: { type: "map" },
  healthcheck: { type: "object", computed: true, fields: healthcheck },

  networkMode: { type: "string", default: "bridge" },
  networksAdvanced: { type: "set", of: { type: "object", fields: attached } },
  // A list, but the plugin ignores its order.
  ports: { type: "set", of: { type: "object", fields: port } },
  hosts: { type: "set", of: { type: "object", fields: host } },
  mounts: { type: "set", of: { type: "object", fields: mount } },
};

/** What the engine alone decides. */
export const CONTAINER_OUTPUTS = [
  ...["bridge", "command", "entrypoints", "envs", "exitCode", "healthcheck", "hostname", "init", "ipcMode", "labels"],
  ...["logDriver", "networkDatas", "platform", "runtime", "securityOpts", "shmSize", "stopSignal", "stopTimeout"],
];
