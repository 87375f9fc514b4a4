import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import type { RawSettings } from "../../../configs/settings";
import type { Stack, StackOptions } from "./cli";
import { Engine } from "../docker/engine";
import { withDockerPlugin } from "../docker/plugin";
import { killHard, pidOf } from "./servers";

/** Where the servers of a test's stack run, seen from outside: what the same test needs on every runtime. */
export interface Ground {
  readonly settings: RawSettings;
  readonly options: StackOptions;
  /** The process id of the hub or of a site. */
  pid(stack: Stack, server: string): Promise<number>;
  /** Kills the server so that it stays down until somebody starts it. */
  kill(stack: Stack, server: string): Promise<void>;
  /** Nothing of the server is there any more. */
  hasLeft(stack: Stack, server: string): Promise<void>;
  stop(): Promise<void>;
}

export class Processes implements Ground {
  readonly settings = {};
  readonly options = {};

  pid = (stack: Stack, server: string): Promise<number> => Promise.resolve(pidOf(stack.fleet, server));
  kill = (stack: Stack, server: string): Promise<void> => killHard(pidOf(stack.fleet, server));

  hasLeft(stack: Stack, server: string): Promise<void> {
    assert.equal(existsSync(`${stack.fleet}${server === "" ? "" : `/sites/${server}`}`), false);
    return Promise.resolve();
  }

  stop = (): Promise<void> => Promise.resolve();
}

/** Containers of an engine of the test's own. */
export class Containers implements Ground {
  readonly settings: RawSettings = { runtime: "docker" };
  readonly options: StackOptions;

  private constructor(readonly engine: Engine) {
    this.options = { env: { DOCKER_HOST: engine.url }, prepare: withDockerPlugin };
  }

  static async start(name = "local"): Promise<Containers> {
    const engine = await Engine.start(name);
    await engine.loadNatsImage();
    return new Containers(engine);
  }

  container = (stack: Stack, server: string) => this.engine.docker.getContainer(`nats-${stack.name}-${server}`);

  pid = async (stack: Stack, server: string): Promise<number> =>
    (await this.container(stack, server).inspect()).State.Pid;

  // The engine takes it for a manual stop.
  kill = async (stack: Stack, server: string): Promise<void> => {
    await this.container(stack, server).kill();
  };

  /** Names of all that the engine has of a server, or of the whole stack. */
  async traces(stack: Stack, server = ""): Promise<string[]> {
    const { docker } = this.engine;
    const prefix = ["nats", stack.name, server].filter((part) => part !== "").join("-");
    const containers = await docker.listContainers({ all: true });
    const { Volumes } = await docker.listVolumes();
    const networks = await docker.listNetworks();
    return [
      ...containers.flatMap(({ Names }) => Names.map((name) => name.slice(1))),
      ...Volumes.map(({ Name }) => Name),
      ...networks.map(({ Name }) => Name),
    ]
      .filter((name) => name.startsWith(prefix))
      .sort();
  }

  hasLeft = async (stack: Stack, server: string): Promise<void> =>
    assert.deepEqual(await this.traces(stack, server), []);

  stop = (): Promise<void> => this.engine.stop();
}

/** Why there is no engine here; never where nothing may be skipped. */
export function missingEngine(): string | undefined {
  const reason = Engine.unavailable();
  if (reason !== undefined && process.env.CI === "true") throw new Error(`no Docker engine: ${reason}`);
  return reason;
}

/** Every runtime, and why it cannot be tested on this machine. */
const GROUNDS: { name: string; missing: string | undefined; start: () => Promise<Ground> }[] = [
  { name: "processes", missing: undefined, start: () => Promise.resolve(new Processes()) },
  { name: "containers", missing: missingEngine(), start: () => Containers.start() },
];

/** The same tests on every runtime; skipped, with the reason, where one is not available. */
export function onEveryGround(title: string, tests: (start: () => Promise<Ground>) => void): void {
  for (const { name, missing, start } of GROUNDS) {
    const named = `${title} (${name})`;
    if (missing === undefined) describe(named, () => tests(start));
    else describe.skip(`${named}, skipped: ${missing}`, () => tests(start));
  }
}
