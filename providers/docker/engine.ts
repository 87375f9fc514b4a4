import type Dockerode from "dockerode";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Refusal, messageOf } from "../refusal";

/** A Docker engine, as it crosses Pulumi's boundary. Both absent: the one of this machine, or of DOCKER_HOST. */
export interface EngineAccess {
  /** `unix:///path`, `tcp://host:port` or `ssh://user@host`. */
  url?: string;
  /** Folder with ca.pem, cert.pem and key.pem, for a `tcp://` engine with TLS. */
  certificates?: string;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** How messages name the engine. */
export const engineName = ({ url }: EngineAccess): string =>
  url ?? process.env.DOCKER_HOST ?? "the local Docker engine";

function optionsOf({ url, certificates }: EngineAccess): Dockerode.DockerOptions {
  if (url === undefined) return {};
  const { protocol, hostname, port, username, pathname } = new URL(url);
  switch (protocol) {
    case "unix:":
      return { socketPath: pathname };
    case "ssh:":
      return {
        protocol: "ssh",
        host: hostname,
        ...(port === "" ? {} : { port }),
        ...(username === "" ? {} : { username: decodeURIComponent(username) }),
      };
    default: {
      const pem = (name: string) => readFileSync(join(certificates ?? "", `${name}.pem`), "utf8");
      const tls = certificates === undefined ? {} : { ca: pem("ca"), cert: pem("cert"), key: pem("key") };
      const protocolOf = certificates === undefined ? "http" : "https";
      return { protocol: protocolOf, host: hostname, port: port === "" ? "2376" : port, ...tls };
    }
  }
}

const clients = new Map<string, Dockerode>();

function clientOf(engine: EngineAccess): Dockerode {
  const key = JSON.stringify(engine);
  const known = clients.get(key);
  if (known !== undefined) return known;
  // Loaded only where a server runs in Docker: it takes a tenth of a second.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const Docker = require("dockerode") as typeof Dockerode;
  const client = new Docker({ ...optionsOf(engine), timeout: CONNECT_TIMEOUT_MS });
  clients.set(key, client);
  return client;
}

interface EngineError {
  code?: string;
  statusCode?: number;
}

const CURES: Record<string, string> = {
  ENOENT: "nothing listens on its socket; install or start Docker, or correct the setting 'engine'",
  ECONNREFUSED: "nothing listens there; start Docker, or correct the setting 'engine'",
  EACCES: "this user may not use its socket; add the user to the group 'docker', or run as one who may",
  ENOTFOUND: "its host name is not known; correct the setting 'engine'",
  EHOSTUNREACH: "its host cannot be reached; bring the machine or its network back",
  ETIMEDOUT: "it does not answer; bring the machine or its network back",
  ECONNRESET: "it ended the connection; see its log, and that the certificates fit",
};

/** The engine's own status code of a refusal, such as 404; undefined when it was not reached. */
export const statusOf = (error: unknown): number | undefined => (error as EngineError).statusCode;

/** Whether the engine could not be reached, as opposed to refusing. */
export const isUnreachable = (error: unknown): boolean =>
  error instanceof EngineUnreachable || statusOf(error) === undefined;

/** The engine could not be reached. */
export class EngineUnreachable extends Refusal {}

/** Works with an engine. Errors: EngineUnreachable with a cure; the engine's own refusals, which have a `statusCode`. */
export async function withEngine<T>(engine: EngineAccess, work: (docker: Dockerode) => Promise<T>): Promise<T> {
  try {
    return await work(clientOf(engine));
  } catch (error) {
    if (error instanceof Refusal || statusOf(error) !== undefined) throw error;
    const { code = "" } = error as EngineError;
    const cure = CURES[code] ?? "bring the engine back, or correct the setting 'engine'";
    throw new EngineUnreachable(`Docker engine ${engineName(engine)}: ${messageOf(error)}: ${cure}`);
  }
}
