import { Authenticator, ConnectionOptions, NatsConnection, connect, credsAuthenticator } from "nats";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { seedProblem } from "../configs/seeds";
import { Login, Secret, Tls } from "../configs/reading/fleet-file";
import { nkeyLogin } from "../servers/nats/authenticator";
import { Refusal } from "../machine/refusal";

/** Connections with whatever logins a foreign fleet has. Secrets come from files and the environment only. */

export interface Endpoint {
  /** Of several servers: the first one that answers is meant. */
  urls: readonly string[];
  tls?: Tls | undefined;
}

const CONNECT_TIMEOUT_MS = 2_000;

export class Logins {
  private readonly pool = new Map<string, Promise<NatsConnection>>();

  /** @param folder what the paths of the file are relative to. */
  constructor(private readonly folder: string) {}

  /** Errors: a Refusal for every secret that cannot be read, before anything is asked. */
  check(logins: readonly (readonly [where: string, login: Login])[]): void {
    const problems = logins.flatMap(([where, login]) => {
      try {
        this.authenticator(login);
        return [];
      } catch (error) {
        return [`  - ${where}: ${(error as Error).message}`];
      }
    });
    if (problems.length > 0) throw new Refusal(["logins that cannot be used:", ...problems].join("\n"));
  }

  /** One connection for each endpoint and login, made anew once it is closed. */
  async connection({ urls, tls }: Endpoint, login: Login): Promise<NatsConnection> {
    const key = JSON.stringify([urls, login]);
    const pooled = await this.pool.get(key)?.catch(() => undefined);
    if (pooled !== undefined && !pooled.isClosed()) return pooled;
    const options: ConnectionOptions = {
      servers: [...urls],
      noRandomize: true,
      timeout: CONNECT_TIMEOUT_MS,
      reconnect: false,
      maxReconnectAttempts: 0,
      name: "nats-hub-leaf",
      authenticator: this.authenticator(login),
      ...(tls === undefined ? {} : { tls: this.tlsOf(tls) }),
    };
    const opening = connect(options);
    this.pool.set(key, opening);
    return opening;
  }

  async close(): Promise<void> {
    const opened = [...this.pool.values()];
    this.pool.clear();
    await Promise.all(opened.map(async (connection) => (await connection.catch(() => undefined))?.close()));
  }

  private authenticator({ seed, creds, user, password }: Login): Authenticator {
    if (seed !== undefined) return nkeyLogin(this.seed(seed));
    if (creds !== undefined) return credsAuthenticator(new TextEncoder().encode(this.read(creds)));
    if (user === undefined || password === undefined) throw new Refusal("there is no login");
    const pass = this.read(password).trim();
    return () => ({ user, pass });
  }

  private seed(from: Secret): string {
    const text = this.read(from);
    // A file of `nsc` or `nk` has lines around it.
    const seed = /^S[A-Z2-7]{50,}$/m.exec(text)?.[0] ?? text.trim();
    const problem = seedProblem(seed);
    if (problem !== undefined) throw new Refusal(`what ${nameOf(from)} holds ${problem.problem}; ${problem.cure}`);
    return seed;
  }

  private read(from: Secret): string {
    const { file, env = "" } = from;
    if (file === undefined) {
      const value = process.env[env];
      if (value === undefined) throw new Refusal(`there is no ${nameOf(from)}; set it`);
      return value;
    }
    return this.readFile(file);
  }

  private readFile(file: string): string {
    try {
      return readFileSync(resolve(this.folder, file), "utf8");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new Refusal(`file ${file} cannot be read (${code}); correct its path, or give this user the right to`);
    }
  }

  private tlsOf({ ca, cert, key }: Tls): { ca?: string; cert?: string; key?: string } {
    return {
      ...(ca === undefined ? {} : { ca: this.readFile(ca) }),
      ...(cert === undefined ? {} : { cert: this.readFile(cert) }),
      ...(key === undefined ? {} : { key: this.readFile(key) }),
    };
  }
}

const nameOf = ({ file, env = "" }: Secret): string =>
  file === undefined ? `environment variable ${env}` : `file ${file}`;
