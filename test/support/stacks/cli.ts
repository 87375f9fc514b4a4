import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { gunzipSync } from "node:zlib";
import type { NatsConnection } from "nats";
import type { RawSettings } from "../../../configs/settings";
import { open } from "../../../servers/nats/connection";
import type { ProofRow } from "../../../providers/smoke-test";
import { ensureToolchain } from "../../../commands/toolchain/install";
import { COMMANDS } from "../../../commands/parse";
import { additions } from "../../../commands/stack/stack-environment";
import { type Ran, type Running, startCommand, succeeded } from "./commands";
import { killAll, reservedPorts, serversOf } from "./servers";
import { cleanEnvironment, copyProject, filesBelow } from "./scratch-project";

/** Drives the real Pulumi CLI in scratch copies of the project, so that a test meets neither the checkout nor another test. */

export interface StackOutputs {
  readonly proof: ProofRow[];
  readonly hub: { client: string; leafnodes: string; monitor: string };
  readonly sites: Record<string, { client: string; monitor: string; account: string }>;
  /** By owner and role. */
  readonly seeds: Record<string, Record<string, string>>;
}

export interface StackState {
  readonly deployment: {
    readonly pending_operations?: unknown[];
    readonly resources?: readonly {
      urn: string;
      protect?: boolean;
      inputs?: Record<string, unknown>;
      outputs?: Record<string, unknown>;
    }[];
  };
}

export interface StackOptions {
  /** The project's folder; without it a scratch copy of the checkout, removed with the stack. */
  readonly folder?: string;
  /** Namespace of the settings in the stack's file. @default "nats-hub-leaf" */
  readonly namespace?: string;
  readonly passphrase?: string;
  /** More of the environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Runs every command, such as `setpriv --nnp`. */
  readonly through?: readonly string[];
  /** Changes the project's folder before it is used. */
  readonly prepare?: (folder: string) => void;
}

/** One stack of one project, driven by the CLI. */
export class Stack {
  /** Everything that any command of this stack has printed, `outputs` and `exported` apart: they ask for secrets. */
  readonly printed: Ran[] = [];
  private readonly clients = new Map<string, NatsConnection>();
  private known: StackOutputs | undefined;

  private constructor(
    readonly name: string,
    readonly folder: string,
    readonly binary: string,
    private readonly env: NodeJS.ProcessEnv,
    private readonly namespace: string,
    private readonly ownsFolder: boolean,
    private readonly through: readonly string[],
  ) {}

  static async create(name: string, settings: RawSettings, options: StackOptions = {}): Promise<Stack> {
    const { pulumi } = await ensureToolchain(process.env, () => undefined);
    const passphrase = options.passphrase ?? randomBytes(12).toString("hex");
    const env = { ...cleanEnvironment(), PULUMI_CONFIG_PASSPHRASE: passphrase, ...options.env };
    const stack = new Stack(
      name,
      options.folder ?? copyProject(name),
      pulumi,
      { ...env, ...additions(name, env) },
      options.namespace ?? "nats-hub-leaf",
      options.folder === undefined,
      options.through ?? [],
    );
    options.prepare?.(stack.folder);
    stack.configure(settings);
    await stack.succeeds("stack", "init");
    return stack;
  }

  /** The same stack in another checkout: with its file, and nothing else of it. */
  static async copyOf(stack: Stack, options: StackOptions): Promise<Stack> {
    const folder = copyProject(stack.name);
    const file = path.basename(stack.file);
    fs.copyFileSync(stack.file, path.join(folder, file));
    const env = { ...cleanEnvironment(), PULUMI_CONFIG_PASSPHRASE: stack.passphrase, ...options.env };
    return new Stack(
      stack.name,
      folder,
      stack.binary,
      { ...env, ...additions(stack.name, env) },
      stack.namespace,
      true,
      [],
    );
  }

  /** The same stack after its project was moved or renamed, with all that is in it. */
  async movedTo(folder: string): Promise<Stack> {
    await Promise.all([...this.clients.values()].map((client) => client.close()));
    fs.renameSync(this.folder, folder);
    return new Stack(this.name, folder, this.binary, this.env, this.namespace, this.ownsFolder, this.through);
  }

  /** The folder of the stack's servers. */
  get fleet(): string {
    return path.join(this.folder, ".fleet", this.name);
  }

  /** Where the CLI keeps state, history and backups. */
  get stateFolder(): string {
    return path.join(this.folder, ".state");
  }

  get passphrase(): string {
    return this.env.PULUMI_CONFIG_PASSPHRASE ?? "";
  }

  private get file(): string {
    return path.join(this.folder, `Pulumi.${this.name}.yaml`);
  }

  /**
   * Writes the stack's settings, in place of those before; what the CLI itself keeps in the file stays. Changes are not
   * rehearsed unless the settings say so: it would take a third of the tests' time.
   */
  configure(settings: RawSettings | Record<string, unknown>): void {
    const before = fs.existsSync(this.file) ? fs.readFileSync(this.file, "utf8") : "";
    const salt = /^encryptionsalt: .*$/m.exec(before)?.[0] ?? "";
    const entries = Object.entries({ rehearsal: "off", ...settings }).map(([key, value]) => [
      `${this.namespace}:${key}`,
      value,
    ]);
    // JSON is YAML.
    fs.writeFileSync(this.file, `config: ${JSON.stringify(Object.fromEntries(entries))}\n${salt}\n`);
  }

  /** Sets a secret setting, such as `keys.oslo.link`. It goes through the CLI's input, never over a command line. */
  async setSecret(setting: string, value: string): Promise<void> {
    const args = ["config", "set", "--secret", "--path", `${this.namespace}:${setting}`];
    succeeded(await this.start(args, {}, value).ended);
  }

  /** Starts the CLI, in a process group of its own. */
  start(args: readonly string[], env: NodeJS.ProcessEnv = {}, input = ""): Running {
    const common = ["--stack", this.name, "--non-interactive", "--color", "never"];
    return this.spawn(this.binary, [...args, ...common], env, input);
  }

  /** Starts `make <target>` for this stack, in a process group of its own. */
  startMake(target: string, env: NodeJS.ProcessEnv = {}, args: readonly string[] = []): Running {
    const isPulumis = COMMANDS.find(({ name }) => name === target)?.pulumi === true;
    const options = [...(isPulumis ? ["--color", "never"] : []), ...args].join(" ");
    return this.spawn("make", ["--silent", target, `STACK=${this.name}`, `ARGS=${options}`], env);
  }

  make = (target: string, env: NodeJS.ProcessEnv = {}): Promise<Ran> => this.startMake(target, env).ended;

  /** Runs `make <target>` with variables of its own, such as SITE, and no options for the CLI. */
  makeWith(target: string, variables: Record<string, string>): Promise<Ran> {
    const given = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    return this.spawn("make", ["--silent", target, `STACK=${this.name}`, ...given], {}).ended;
  }

  /** Runs a line of the shell in the project's folder. */
  shell = (line: string, env: NodeJS.ProcessEnv = {}): Promise<Ran> => this.startShell(line, env).ended;
  startShell = (line: string, env: NodeJS.ProcessEnv = {}): Running => this.spawn("bash", ["-c", line], env);

  run = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> => this.start(args, env).ended;

  /** Runs the CLI, which must succeed. */
  async succeeds(...args: string[]): Promise<Ran> {
    return succeeded(await this.run(args));
  }

  /** Runs the CLI, which must refuse. */
  async fails(...args: string[]): Promise<Ran> {
    const ran = await this.run(args);
    assert.notEqual(ran.code, 0, `'${ran.command}' succeeded:\n${ran.output}`);
    return ran;
  }

  up = (...args: string[]): Promise<Ran> => this.succeeds("up", "--yes", "--skip-preview", ...args);
  refusedUp = (...args: string[]): Promise<Ran> => this.fails("up", "--yes", "--skip-preview", ...args);
  /** A preview in which nothing at all changes. */
  isClean = (): Promise<Ran> => this.succeeds("preview", "--expect-no-changes");

  /** The stack's outputs, secrets included; kept until the next change of the settings asks anew with `again`. */
  async outputs({ again = false } = {}): Promise<StackOutputs> {
    if (this.known === undefined || again) {
      this.known = await this.quietly<StackOutputs>("stack", "output", "--json", "--show-secrets");
    }
    return this.known;
  }

  /** The state as the CLI exports it; secrets in clear only when asked for. */
  exported = (...args: "--show-secrets"[]): Promise<StackState> => this.quietly<StackState>("stack", "export", ...args);

  /** Every seed of the fleet by owner and role, the link keys included, which no output shows. */
  async seedsInState(): Promise<Record<string, Record<string, string>>> {
    const { resources = [] } = (await this.exported("--show-secrets")).deployment;
    const identities = resources.filter(({ urn }) => urn.endsWith("-identity"));
    return Object.fromEntries(
      identities.map(({ urn, outputs = {} }) => {
        const { plaintext } = outputs.seeds as { plaintext: string };
        return [
          urn.slice(urn.lastIndexOf(":") + 1, -"-identity".length),
          JSON.parse(plaintext) as Record<string, string>,
        ];
      }),
    );
  }

  private async quietly<T>(...args: string[]): Promise<T> {
    const ran = succeeded(await this.run(args));
    this.printed.splice(this.printed.indexOf(ran), 1);
    return JSON.parse(ran.stdout) as T;
  }

  /** A client at a site or the hub, with a key of `owner`; the same one each time, until it is closed. */
  async client(owner: string, role: string, { at = owner } = {}): Promise<NatsConnection> {
    const { seeds, hub, sites } = await this.outputs({ again: this.known?.seeds[owner] === undefined });
    const access = { url: sites[at]?.client ?? hub.client, seed: seeds[owner]?.[role] ?? "" };
    const key = `${access.url} ${access.seed}`;
    const before = this.clients.get(key);
    if (before !== undefined && !before.isClosed()) return before;
    const connection = await open(access);
    this.clients.set(key, connection);
    return connection;
  }

  /** A client at the site, with the key that its applications use. */
  applicationOf = (site: string): Promise<NatsConnection> => this.client(site, "application");

  /** Every file of the CLI's state, history and backups, unpacked. */
  stateTexts(): { file: string; text: string }[] {
    return filesBelow(this.stateFolder).map((file) => {
      const bytes = fs.readFileSync(file);
      return { file, text: (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8") };
    });
  }

  /** Destroys the stack, whatever it holds, and checks that nothing of it is left on the machine. */
  async remove(): Promise<void> {
    await Promise.all([...this.clients.values()].map((client) => client.close()));
    try {
      if (this.exists())
        succeeded(await this.run(["destroy", "--yes", "--skip-preview", "--ignore-protect"], { DISCARD: "1" }));
      await this.leftNothing();
    } finally {
      killAll(serversOf(this.fleet));
      for (const { file } of reservedPorts(this.fleet)) fs.rmSync(file, { force: true });
      if (this.ownsFolder) fs.rmSync(this.folder, { recursive: true, force: true });
    }
  }

  /** No process, no port, no file, no resource. */
  async leftNothing(): Promise<void> {
    assert.deepEqual(serversOf(this.fleet), [], "servers still run");
    assert.deepEqual(reservedPorts(this.fleet), [], "ports are still reserved");
    assert.equal(fs.existsSync(this.fleet), false, `${this.fleet} is still there`);
    const others = path.dirname(this.fleet);
    assert.ok(!fs.existsSync(others) || fs.readdirSync(others).length > 0, `${others} is still there, and empty`);
    if (this.exists()) assert.deepEqual(await this.resources(), [], "resources are still in the state");
  }

  /** URNs of all resources in the state. */
  resources = async (): Promise<string[]> =>
    ((await this.exported()).deployment.resources ?? []).map(({ urn }) => urn).sort();

  /** Whether the CLI has a stack of this name. */
  exists = (): boolean => this.checkpoint() !== undefined;

  /** The file with the stack's state; undefined when there is none. */
  checkpoint = (): string | undefined =>
    filesBelow(path.join(this.stateFolder, ".pulumi/stacks")).find((file) =>
      [`${this.name}.json`, `${this.name}.json.gz`].includes(path.basename(file)),
    );

  private spawn(program: string, args: readonly string[], env: NodeJS.ProcessEnv, input = ""): Running {
    const { child, ended } = startCommand(
      this.folder,
      [...this.through, program, ...args],
      { ...this.env, ...env },
      input,
    );
    const noted = ended.then((ran) => {
      this.printed.push(ran);
      return ran;
    });
    return { child, ended: noted };
  }
}
