import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import Dockerode from "dockerode";
import { Failure } from "./schema";
import { throughSsh } from "./ssh";

/** What a program may say of the engine; each a text, as the CLI passes configuration on. */
export type Config = Readonly<Record<string, string>>;

const OPTIONS = [
  ...["host", "certPath", "caMaterial", "certMaterial", "keyMaterial", "sshOpts", "context"],
  ...["disableDockerDaemonCheck", "version"],
];

export const refusedOptions = (config: Readonly<Record<string, unknown>>): Failure[] =>
  Object.keys(config)
    .filter((key) => !OPTIONS.includes(key) && !key.startsWith("__"))
    .map((property) => ({
      property,
      reason: `unexpected provider option '${property}': the plugin has none of this name, or its test replacement does not implement it`,
    }));

/** The engine of one provider. Errors: `open` with the plugin's words when the engine does not answer. */
export class Connection {
  private constructor(
    readonly host: string,
    private readonly docker: Dockerode,
    private readonly config: Config,
    private pinged: boolean,
  ) {}

  static async open(given: Config): Promise<Connection> {
    const config = withEnvironment(given);
    if (config.context) throw new Error(`the test replacement of the Docker plugin does not read contexts`);
    const hosts = config.host === undefined ? DEFAULT_HOSTS : [config.host];
    for (const host of hosts) {
      // With certificates the plugin does not look whether the host is one for ssh.
      if (host.startsWith("ssh://") && config.certPath) continue;
      const docker = new Dockerode(dockerOptions(host, config));
      // Like the plugin, which shies from many connections over ssh.
      if (host.startsWith("ssh://")) return new Connection(host, docker, config, false);
      // That first look goes by the environment's certificates, whatever the program says.
      const looking = host.startsWith("tcp://") || !process.env.DOCKER_CERT_PATH;
      const isReachable = looking && (await isThere(docker));
      if (isReachable) return new Connection(host, docker, config, true);
    }
    // Said whatever `disableDockerDaemonCheck` says: that option stops a second look only.
    throw new Error("failed to connect to any docker daemon");
  }

  async client(): Promise<Dockerode> {
    if (this.pinged || this.config.disableDockerDaemonCheck === "true") return this.docker;
    try {
      await this.docker.ping();
    } catch (error) {
      throw new Error(
        `failed to create Docker client: Error pinging Docker server, please make sure that ${this.host} is reachable ` +
          `and has a  '_ping' endpoint. Error: ${this.said(error)}`,
      );
    }
    this.pinged = true;
    return this.docker;
  }

  /** What the engine said, or that it did not answer, in the words of the engine's own client. */
  said(error: unknown): string {
    const { json, statusCode, code, message } = error as { json?: unknown; statusCode?: number; code?: string } & Error;
    if (statusCode !== undefined) {
      const { message: fromEngine } = (typeof json === "object" && json !== null ? json : {}) as { message?: string };
      // A refused stream has no JSON of its own: its words follow the client's.
      const words = fromEngine ?? message.replace(/^\(HTTP code \d+\) .*? - /, "").trimEnd();
      return `Error response from daemon: ${words}`;
    }
    const isAway = ["ECONNREFUSED", "ENOENT", "ECONNRESET", "EHOSTUNREACH", "ETIMEDOUT"].includes(code ?? "");
    return isAway ? `Cannot connect to the Docker daemon at ${this.host}. Is the docker daemon running?` : message;
  }
}

const isThere = (docker: Dockerode): Promise<boolean> =>
  docker.ping().then(
    () => true,
    () => false,
  );

export const statusOf = (error: unknown): number | undefined => (error as { statusCode?: number }).statusCode;

const DEFAULT_HOSTS = [
  "unix:///var/run/docker.sock",
  ...["run", "desktop"].map((folder) => `unix://${homedir()}/.docker/${folder}/docker.sock`),
];

const ENVIRONMENT: Readonly<Record<string, string>> = {
  host: "DOCKER_HOST",
  caMaterial: "DOCKER_CA_MATERIAL",
  certMaterial: "DOCKER_CERT_MATERIAL",
  keyMaterial: "DOCKER_KEY_MATERIAL",
  certPath: "DOCKER_CERT_PATH",
  context: "DOCKER_CONTEXT",
};

function withEnvironment(config: Config): Config {
  const fallbacks = Object.entries(ENVIRONMENT).map(([key, variable]) => [key, process.env[variable] ?? ""] as const);
  return { ...Object.fromEntries(fallbacks.filter(([, value]) => value !== "")), ...config };
}

function dockerOptions(host: string, config: Config): Dockerode.DockerOptions {
  // Without a host of its own, the client would take the environment's.
  if (host.startsWith("unix://")) return { host: undefined, socketPath: host.slice("unix://".length) };
  if (host.startsWith("ssh://")) {
    const agent = throughSsh(host, sshOptions(config));
    return { ...{ agent }, host: "docker.example.com", protocol: "http" };
  }
  const url = new URL(host.replace(/^tcp:/, "http:"));
  const tls = tlsFiles(config);
  const isHttps = tls !== undefined || host.startsWith("https://");
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port || (isHttps ? 2376 : 2375),
    protocol: isHttps ? "https" : "http",
    ca: undefined,
    cert: undefined,
    key: undefined,
    ...tls,
  };
}

const sshOptions = ({ sshOpts }: Config): string[] => (sshOpts === undefined ? [] : (JSON.parse(sshOpts) as string[]));

function tlsFiles({ caMaterial, certMaterial, keyMaterial, certPath }: Config) {
  if ([caMaterial, certMaterial, keyMaterial].some((material) => material !== undefined)) {
    if (!caMaterial || !certMaterial || !keyMaterial) {
      throw new Error("certMaterial, keyMaterial, and caMaterial must all be specified");
    }
    if (certPath) throw new Error("when using raw certificates, certPath must not be specified");
    return { ca: caMaterial, cert: certMaterial, key: keyMaterial };
  }
  if (!certPath) return undefined;
  const [ca, cert, key] = ["ca", "cert", "key"].map((name) => readFileSync(join(certPath, `${name}.pem`), "utf8"));
  return { ca, cert, key };
}
