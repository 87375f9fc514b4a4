import * as fs from "node:fs";
import * as http from "node:http";
import * as os from "node:os";
import * as path from "node:path";

/** A container or a network, as far as an engine is asked about one here. */
export interface Held {
  readonly id: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Where a container's limits and restart policy are not those that `container` in docker-state.ts asks for. */
  readonly limits?: object;
}

/** The HTTP API of a Docker engine on a socket of its own, as far as the toolchain asks it. */
export interface FakeEngine {
  /** `unix:///…` */
  readonly url: string;
  /** By name; a test may change what is there. */
  readonly containers: Map<string, Held>;
  readonly networks: Map<string, Held>;
  /** What it was asked, in order: "GET /_ping". */
  readonly asked: string[];
  /** Status of every answer, when it is to refuse. */
  refuses: number | undefined;
}

const LIMITS = { Memory: 2 ** 29, MemorySwap: 2 ** 29, NanoCpus: 500_000_000, RestartPolicy: { Name: "always" } };

const DETAILS: Record<string, (held: Held) => object> = {
  containers: ({ id, labels, limits }) => ({
    Id: id,
    Config: { Labels: labels },
    HostConfig: { ...LIMITS, ...limits },
  }),
  networks: ({ id, labels }) => ({ Id: id, Labels: labels }),
};

function answer(engine: FakeEngine, method: string, target: string): { status: number; body: unknown } {
  const { pathname } = new URL(target, "http://engine");
  if (engine.refuses !== undefined) return { status: engine.refuses, body: { message: "refused" } };
  if (pathname === "/_ping") return { status: 200, body: "OK" };
  const [, kind = "", named = ""] = /^\/(containers|networks)\/([^/]+)(?:\/json)?$/.exec(pathname) ?? [];
  const all = kind === "containers" ? engine.containers : engine.networks;
  const found = [...all].find(([name, { id }]) => name === named || id === named);
  if (found === undefined) return { status: 404, body: { message: `no such thing: ${named}` } };
  if (method !== "DELETE") return { status: 200, body: DETAILS[kind]?.(found[1]) };
  all.delete(found[0]);
  return { status: 204, body: undefined };
}

/** Lets such an engine listen for each test of the suite. */
export function withFakeEngine(): FakeEngine {
  const engine = {
    url: "",
    containers: new Map<string, Held>(),
    networks: new Map<string, Held>(),
    asked: [] as string[],
    refuses: undefined as number | undefined,
  };
  let folder: string;
  let server: http.Server;
  beforeEach(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "nats-hub-leaf-engine-"));
    const socket = path.join(folder, "docker.sock");
    engine.url = `unix://${socket}`;
    engine.containers.clear();
    engine.networks.clear();
    engine.asked.length = 0;
    engine.refuses = undefined;
    server = http.createServer(({ method = "", url = "" }, response) => {
      engine.asked.push(`${method} ${url}`);
      const { status, body } = answer(engine, method, url);
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
  });
  afterEach(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return engine;
}
