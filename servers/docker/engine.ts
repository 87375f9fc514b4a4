import type Dockerode from "dockerode";
import { existsSync, readFileSync } from "node:fs";
import type { Agent } from "node:http";
import { homedir } from "node:os";
import { join } from "node:path";
import { Refusal, messageOf } from "../../machine/refusal";
import { SshAgent } from "./ssh";

/** A Docker engine, as it crosses Pulumi's boundary. Both absent: the one of this machine, or of DOCKER_HOST. */
export interface EngineAccess {
  /** `unix:///path`, `tcp://host:port` or `ssh://user@host`. */
  url?: string;
  /** Folder with ca.pem, cert.pem and key.pem, for a `tcp://` engine with TLS. */
  certificates?: string;
}

/** Longest silence of the engine that is allowed; stopping a server may take longer. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Where the plugin of @pulumi/docker looks, too. */
const localSocket = (): string => {
  const ofUser = ["run", "desktop"].map((folder) => join(homedir(), ".docker", folder, "docker.sock"));
  return ["/var/run/docker.sock", ...ofUser].find((path) => existsSync(path)) ?? "/var/run/docker.sock";
};

const ofEnvironment = (variable: "DOCKER_HOST" | "DOCKER_CERT_PATH" | "DOCKER_CONTEXT"): string | undefined =>
  process.env[variable] === "" ? undefined : process.env[variable];

/** With what the environment says, where the settings say nothing; like the plugin of @pulumi/docker. */
function resolved(engine: EngineAccess): { url: string; certificates: string | undefined } {
  const url = engine.url ?? ofEnvironment("DOCKER_HOST") ?? `unix://${localSocket()}`;
  const { certificates = url.startsWith("tcp:") ? ofEnvironment("DOCKER_CERT_PATH") : undefined } = engine;
  return { url, certificates };
}

/** What in the environment would lead the plugin to another engine, or to none; undefined when nothing does. */
function misleading(engine: EngineAccess): string | undefined {
  const { certificates } = resolved(engine);
  const isOwnSsh = engine.url?.startsWith("ssh:") === true;
  if (ofEnvironment("DOCKER_CERT_PATH") !== undefined && certificates === undefined && !isOwnSsh) {
    return (
      "the Docker plugin uses the certificates of DOCKER_CERT_PATH for this engine too, but this engine takes none: " +
      `unset it${engine.url === undefined ? "" : ", and give engines at tcp:// their 'engineCertificates'"}`
    );
  }
  const context = ofEnvironment("DOCKER_CONTEXT") ?? "default";
  if (engine.url !== undefined || ofEnvironment("DOCKER_HOST") !== undefined || context === "default") return undefined;
  return (
    `DOCKER_CONTEXT names '${context}', but contexts are not read here: set DOCKER_HOST to its endpoint ` +
    `('docker context inspect'), or give it in the setting 'engine'`
  );
}

/** How messages name the engine. */
export const engineName = (engine: EngineAccess): string => resolved(engine).url;

/** What the client would take from the environment, whatever it is given. */
const NOTHING_ELSE = {
  host: undefined,
  port: undefined,
  username: undefined,
  ca: undefined,
  cert: undefined,
  key: undefined,
};

/** How the client reaches the engine. Errors: EngineUnreachable when the certificates cannot be read. */
export function optionsOf(engine: EngineAccess): Dockerode.DockerOptions & { agent?: Agent } {
  const { url: text, certificates } = resolved(engine);
  const url = new URL(text);
  switch (url.protocol) {
    case "unix:":
      return { ...NOTHING_ELSE, protocol: "http", socketPath: decodeURIComponent(url.pathname) };
    case "ssh:":
      return { ...NOTHING_ELSE, protocol: "http", host: "docker", agent: new SshAgent(url) };
    default: {
      const isPlain = certificates === undefined;
      const port = url.port === "" ? (isPlain ? "2375" : "2376") : url.port;
      const host = url.hostname.replace(/^\[|\]$/g, "");
      return isPlain
        ? { ...NOTHING_ELSE, protocol: "http", host, port }
        : { ...NOTHING_ELSE, protocol: "https", host, port, ...pemsIn(certificates, text) };
    }
  }
}

function pemsIn(folder: string, engine: string): { ca: string; cert: string; key: string } {
  const pem = (name: string): string => {
    try {
      return readFileSync(join(folder, `${name}.pem`), "utf8");
    } catch (error) {
      throw new EngineUnreachable(
        `Docker engine ${engine}: ${messageOf(error)}; put it there, or correct 'engineCertificates'`,
      );
    }
  };
  return { ca: pem("ca"), cert: pem("cert"), key: pem("key") };
}

const clients = new Map<string, Dockerode>();

function clientOf(engine: EngineAccess, timeout: number): Dockerode {
  const trap = misleading(engine);
  if (trap !== undefined) throw new EngineUnreachable(`Docker engine ${engineName(engine)}: ${trap}`);
  const key = JSON.stringify([resolved(engine), timeout]);
  const known = clients.get(key);
  if (known !== undefined) return known;
  // Loaded only where a server runs in Docker: it takes a tenth of a second.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const Docker = require("dockerode") as typeof Dockerode;
  const client = new Docker({ ...optionsOf(engine), timeout });
  clients.set(key, client);
  return client;
}

interface EngineError {
  code?: string;
  statusCode?: number;
  /** Of TLS. */
  reason?: string;
}

const BRING_BACK = "bring the machine or its network back";

const CURES: Record<string, string> = {
  ENOENT: "nothing listens on its socket; install or start Docker, or correct the setting 'engine'",
  ECONNREFUSED: "nothing listens there; start Docker, or correct the setting 'engine'",
  EACCES: "this user may not use its socket; add the user to the group 'docker', or run as another user",
  ENOTFOUND: "its host name is not known; correct the setting 'engine'",
  EAI_AGAIN: `its host name cannot be looked up; ${BRING_BACK}`,
  EHOSTUNREACH: `its host cannot be reached; ${BRING_BACK}`,
  ENETUNREACH: `its network cannot be reached; ${BRING_BACK}`,
  ETIMEDOUT: `it does not answer; ${BRING_BACK}`,
  ECONNRESET: "it closed the connection; see its log, and check that the certificates match",
};

/** By what was said, where there is no code for it. */
const CURES_BY_WORDS: readonly [RegExp, string][] = [
  [
    /certificate|\b(SSL|TLS|HTTPS)\b|EPROTO|wrong version number/i,
    "give the certificates that match it in 'engineCertificates'",
  ],
  [
    /host key verification failed/i,
    "connect to it once with ssh by hand, check its key and accept it; then it is a known host",
  ],
  [
    /its host key is not the known one/,
    "make sure that it is the right machine; then remove the old key from the known hosts (ssh-keygen -R)",
  ],
  [
    /permission denied \(/i,
    "let this user's ssh log in there: check the agent, the keys, and the user name in 'engine'",
  ],
  [/docker: (command )?not found/i, "install Docker there, on the PATH that a command over ssh has"],
  [
    /permission denied.*docker|docker.*permission denied/i,
    "let its user use Docker there: add it to the group 'docker'",
  ],
  [/dial unix|cannot connect to the docker daemon/i, "start Docker there"],
];

/** The engine's own status code of a refusal, such as 404; undefined when it was not reached. */
export const statusOf = (error: unknown): number | undefined => (error as EngineError).statusCode;

/** What an error says, without what the client puts around the engine's own words. */
export const saidBy = (error: unknown): string =>
  messageOf(error)
    .replace(/^\(HTTP code \d+\) .*? - /, "")
    .trim();

/** The engine could not be reached. */
export class EngineUnreachable extends Refusal {}

/** An engine with TLS that is asked without answers, too. */
const wantsTls = (error: unknown): boolean => statusOf(error) === 400 && /HTTPS server/.test(messageOf(error));

function unreachable(engine: EngineAccess, error: unknown, isLate: boolean): EngineUnreachable {
  const { code = "", reason } = error as EngineError;
  const isOfTls = /^(ERR_SSL_|EPROTO$)/.test(code) && reason !== undefined;
  // What OpenSSL says has its source lines in it; the reason has not.
  const said = isLate ? "it was silent for too long" : isOfTls ? `TLS: ${reason}` : saidBy(error);
  const ofWords = CURES_BY_WORDS.find(([words]) => words.test(`${code} ${said}`))?.[1];
  const cure =
    CURES[isLate ? "ETIMEDOUT" : code] ?? ofWords ?? "bring the engine back, or correct the setting 'engine'";
  return new EngineUnreachable(`Docker engine ${engineName(engine)}: ${said}: ${cure}`);
}

/** A timer counts from the beginning of the event loop's turn: on a busy machine it ends so much too early. */
const EARLY_MS = 20;

/**
 * Works with an engine, which may take so long for each answer. Errors: EngineUnreachable with a cure; the engine's own
 * refusals, which have a `statusCode`.
 */
export async function withEngine<T>(
  engine: EngineAccess,
  work: (docker: Dockerode) => Promise<T>,
  timeoutMs = ANSWER_TIMEOUT_MS,
): Promise<T> {
  const begun = performance.now();
  try {
    return await work(clientOf(engine, timeoutMs));
  } catch (error) {
    if (error instanceof Refusal || (statusOf(error) !== undefined && !wantsTls(error))) throw error;
    // A request that waited too long is ended with this code, too.
    const isLate = (error as EngineError).code === "ECONNRESET" && performance.now() - begun >= timeoutMs - EARLY_MS;
    throw unreachable(engine, error, isLate);
  }
}
