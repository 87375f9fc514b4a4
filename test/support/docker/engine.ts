import { ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import Dockerode from "dockerode";
import { isExecutable, onPath } from "../../../machine/locate";
import { freePort } from "../fleets/foreign-port";
import { until } from "../until";
import { type EngineCertificates, makeEngineCertificates } from "./engine-certificates";
import { NatsImages, buildNatsImages } from "./nats-images";
import { buildNodeImage } from "./node-image";
import { Territory } from "./territory";

/**
 * A real Docker engine of its own, whose containers, images and networks nobody else sees. Nothing is left of it after
 * `stop`.
 *
 *     await using engine = await Engine.start("hub");
 *     const { plain } = await engine.loadNatsImage();
 */
export class Engine {
  readonly docker: Dockerode;
  private daemon: ChildProcess | undefined;
  private tcp: (EngineCertificates & { host: string; port: number }) | undefined;

  private constructor(
    readonly name: string,
    private readonly territory: Territory,
  ) {
    // Without a host of its own, the client would take the environment's.
    this.docker = new Dockerode({ host: undefined, socketPath: this.socket, timeout: ANSWER_TIMEOUT_MS });
    standing.add(this);
  }

  /** Why no engine can be started on this machine; undefined when one can. */
  static unavailable(): string | undefined {
    if (process.getuid?.() !== 0) return "a Docker engine needs root";
    const missing = Object.entries(NEEDED).filter(([command]) => commandPath(command) === undefined);
    const [command, debianPackage] = missing[0] ?? [];
    return command === undefined ? undefined : `${command} was not found (Debian package ${debianPackage})`;
  }

  /**
   * `name` is for messages. With `tcp`, it listens on a port of loopback too, for those with a certificate of its own
   * CA; as a `machine` of its own, at its address instead. Errors: with the end of the engine's log when it does not come
   * up.
   */
  static async start(name: string, { tcp = false, machine = false } = {}): Promise<Engine> {
    const reason = Engine.unavailable();
    if (reason !== undefined) throw new Error(`the Docker engine '${name}' cannot be started: ${reason}`);
    const engine = new Engine(name, await Territory.claim());
    try {
      if (tcp || machine) {
        const host = machine ? engine.address : "127.0.0.1";
        engine.tcp = { ...(await makeEngineCertificates(engine.file("tls"), host)), host, port: await freePort() };
      }
      engine.writeConfig();
      await engine.launch();
      return engine;
    } catch (error) {
      await engine.stop();
      throw error;
    }
  }

  get url(): string {
    return `unix://${this.socket}`;
  }

  /** Where it listens with TLS, and the folder of the certificate that it asks for. */
  get overTcp(): { url: string; certificates: string } {
    const { tcp } = this;
    if (tcp === undefined) throw new Error(`the Docker engine '${this.name}' was started without tcp`);
    return { url: `tcp://${tcp.host}:${tcp.port}`, certificates: tcp.client };
  }

  get folder(): string {
    return this.territory.folder;
  }

  /** The address at which its containers, on whatever network of it, reach this machine. */
  get address(): string {
    return this.territory.address;
  }

  async stop(): Promise<void> {
    if (!standing.delete(this)) return;
    await this.end("SIGTERM");
    await this.territory.leave();
  }

  [Symbol.asyncDispose] = (): Promise<void> => this.stop();

  /** What a reboot of its machine does: containers stop, and those with `restart: always` start again. */
  async restart(): Promise<void> {
    await this.end("SIGTERM");
    await this.launch();
  }

  /** Kills the engine, which is out of reach until `resume`. Its containers run on, but nothing is published. */
  pause = (): Promise<void> => this.end("SIGKILL");

  /** Starts it again; containers with `restart: always` are started anew, the others are stopped. */
  resume = (): Promise<void> => this.launch();

  /**
   * Puts `nats:<version>` and `nats:<version>-alpine` in place, built like the official images as far as this project can
   * tell. With a suffix, `nats:<version><suffix>` and `nats:<version><suffix>-alpine`, with ids of their own.
   */
  loadNatsImage = (suffix = ""): Promise<NatsImages> => buildNatsImages(this.docker, suffix);

  /** Puts an image of this machine's Node.js in place. */
  loadNodeImage = (tag: string): Promise<void> => buildNodeImage(this.docker, tag);

  private get socket(): string {
    return this.file("docker.sock");
  }

  private file = (name: string): string => path.join(this.territory.folder, name);

  private writeConfig(): void {
    const { name, addressPool } = this.territory;
    const { tcp } = this;
    const config = {
      hosts: [this.url, ...(tcp === undefined ? [] : [this.overTcp.url])],
      ...(tcp === undefined ? {} : { tlsverify: true, tlscacert: tcp.ca, tlscert: tcp.cert, tlskey: tcp.key }),
      "data-root": this.file("data"),
      "exec-root": this.file("exec"),
      pidfile: this.file("dockerd.pid"),
      bridge: name,
      "default-address-pools": [{ base: addressPool, size: 24 }],
      "cgroup-parent": `/${name}`,
      "exec-opts": ["native.cgroupdriver=cgroupfs"],
      "live-restore": false,
      "shutdown-timeout": SHUTDOWN_TIMEOUT_S,
      // Two engines would delete each other's rules, and both change the machine's. Without them, networks still hold,
      // and a published port still answers, through the engine's own proxy.
      iptables: false,
      ip6tables: false,
      "ip-forward": false,
      "ip-masq": false,
    };
    fs.writeFileSync(this.file("daemon.json"), JSON.stringify(config, null, 2));
  }

  private async launch(): Promise<void> {
    if (this.daemon !== undefined) throw new Error(`the Docker engine '${this.name}' runs already`);
    // A killed engine leaves them, and takes whatever has such a number, even a process that is long dead, for its own.
    for (const left of ["dockerd.pid", "exec/containerd/containerd.pid"]) fs.rmSync(this.file(left), { force: true });
    const log = fs.openSync(this.file("dockerd.log"), "a");
    const command = ["--pdeathsig", "TERM", commandPath("dockerd") ?? "", "--config-file", this.file("daemon.json")];
    const daemon = spawn("setpriv", command, {
      stdio: ["ignore", log, log],
      detached: true,
      env: { ...process.env, ...NO_REGISTRY, PATH: `${process.env.PATH ?? ""}:${SYSTEM_FOLDERS.join(":")}` },
    });
    fs.closeSync(log);
    daemon.unref();
    this.daemon = daemon;
    const ended = new Promise<string>((resolve) => {
      daemon.once("error", (error) => resolve(error.message));
      daemon.once("exit", (code, signal) => resolve(`it ended with ${code ?? signal ?? "nothing"}`));
    });
    const up = until("it answers", () => this.docker.ping(), START_TIMEOUT_MS).then(
      () => undefined,
      (error: unknown) => String(error),
    );
    const failure = await Promise.race([up, ended]);
    if (failure !== undefined) throw new Error(`the Docker engine '${this.name}': ${failure}\n${this.lastWords()}`);
  }

  private async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const { daemon } = this;
    this.daemon = undefined;
    if (daemon?.pid === undefined) return;
    const isGone = () => daemon.exitCode !== null || daemon.signalCode !== null;
    daemon.kill(signal);
    await until("the engine ends", isGone, END_TIMEOUT_MS).catch(() => daemon.kill("SIGKILL"));
    await until("the killed engine ends", isGone);
  }

  private lastWords(): string {
    const log = fs.readFileSync(this.file("dockerd.log"), "utf8");
    return log.trimEnd().split("\n").slice(-LOG_LINES).join("\n");
  }
}

/** A test whose engine hangs fails by that, long before its own time is over. */
const ANSWER_TIMEOUT_MS = 120_000;
const START_TIMEOUT_MS = 30_000;
const SHUTDOWN_TIMEOUT_S = 5;
const END_TIMEOUT_MS = 15_000;
const LOG_LINES = 20;

/** A pull fails at once, and the same way everywhere, instead of asking the network. */
const NO_REGISTRY = {
  HTTP_PROXY: "http://127.0.0.1:9",
  HTTPS_PROXY: "http://127.0.0.1:9",
  http_proxy: "http://127.0.0.1:9",
  https_proxy: "http://127.0.0.1:9",
  NO_PROXY: "localhost,127.0.0.0/8",
};

/** What an engine is made of, by command, with the package that has it. */
const NEEDED = { dockerd: "docker.io", ip: "iproute2", iptables: "iptables", umount: "mount", setpriv: "util-linux" };

/** Not on every user's PATH. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

const commandPath = (command: string): string | undefined =>
  [...onPath(command), ...SYSTEM_FOLDERS.map((folder) => path.join(folder, command))].find(isExecutable);

/** Engines that still run; those that a test forgot are stopped after all tests. */
const standing = new Set<Engine>();

after(async () => {
  for (const engine of standing) await engine.stop();
});
