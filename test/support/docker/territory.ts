import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { until } from "../until";

/**
 * What one engine has of this machine to itself: a folder, a bridge, a control group and a range of addresses, all by
 * one number, so that engines side by side, of other test runs too, do not meet. Nothing is left of it after `leave`.
 */
export class Territory {
  private constructor(
    private readonly number: number,
    private readonly claimed: Claim,
  ) {}

  /** What a killed test run left of it is cleared first. Errors: when every number is taken. */
  static async claim(): Promise<Territory> {
    for (let number = 0; number < MOST_ENGINES; number++) {
      const claimed = await claim(nameOf(number));
      if (claimed === undefined) continue;
      const territory = new Territory(number, claimed);
      if (territory.isAbandoned) await territory.clear();
      if (territory.clashes) {
        await claimed.giveUp();
        continue;
      }
      territory.settle();
      return territory;
    }
    throw new Error(`${MOST_ENGINES} engines run on this machine already, or their addresses are in use`);
  }

  /** Of the bridge and of the control group; the longest name that a bridge may have has 15 letters. */
  get name(): string {
    return nameOf(this.number);
  }

  get folder(): string {
    return path.join(fs.realpathSync(os.tmpdir()), `dockerd-of-tests-${this.number}`);
  }

  /** Of this machine on the bridge: containers of all the engine's networks reach it there. */
  get address(): string {
    return `${this.prefix}.0.1`;
  }

  /** For the networks of the containers' own. */
  get addressPool(): string {
    return `${this.prefix}.128.0/17`;
  }

  async leave(): Promise<void> {
    await this.clear();
    await this.claimed.giveUp();
  }

  private async clear(): Promise<void> {
    await this.killProcesses();
    this.unmount();
    for (const bridge of this.bridges()) ip("link", "del", bridge);
    while (hasRule(this.rule)) iptables("--delete", this.rule);
    for (const group of controlGroups(this.name)) await removeGroup(group);
    for (const socket of this.helperSockets()) fs.rmSync(socket, { force: true });
    fs.rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  private get prefix(): string {
    return `10.${FIRST_RANGE + this.number}`;
  }

  /** Nobody claims it, and still there is something of it. */
  private get isAbandoned(): boolean {
    return fs.existsSync(this.folder) || isLink(this.name);
  }

  /** Something else on this machine has addresses of this range. */
  private get clashes(): boolean {
    return this.linksInRange().length > 0;
  }

  /** By name; also those that nothing is plugged into. */
  private linksInRange(): string[] {
    const lines = ip("-oneline", "-4", "addr", "show").split("\n");
    return lines.filter((line) => line.includes(` ${this.prefix}.`)).map((line) => line.split(/\s+/)[1] ?? "");
  }

  /** The folder first: it tells that the range is this territory's, whatever else is there of it. */
  private settle(): void {
    fs.mkdirSync(this.folder);
    ip("link", "add", "name", this.name, "type", "bridge");
    ip("addr", "add", `${this.address}/24`, "dev", this.name);
    ip("link", "set", this.name, "up");
    iptables("--insert", this.rule);
  }

  /** Where another engine drops what it does not know, containers of one network may talk to each other all the same. */
  private get rule(): string[] {
    const range = `${this.prefix}.0.0/16`;
    const bridged = ["--match", "physdev", "--physdev-is-bridged"];
    return ["FORWARD", "--source", range, "--destination", range, ...bridged, "--jump", "ACCEPT"];
  }

  /** Ends the engine, its helpers, and containers that outlived it. */
  private async killProcesses(): Promise<void> {
    const left = () => {
      const pids = processes().filter((pid) => this.isOurs(pid));
      for (const pid of pids) kill(pid);
      return pids.length === 0;
    };
    await until(`every process of ${this.name} is gone`, left);
  }

  private isOurs(pid: number): boolean {
    // A process that is gone and only waits for its parent has no command line.
    const [program, ...options] = read(`/proc/${pid}/cmdline`).split("\0");
    if (program === undefined || program === "") return false;
    const isPart = PARTS.test(path.basename(program)) && options.some((option) => option.includes(`${this.folder}/`));
    return isPart || read(`/proc/${pid}/cgroup`).includes(`/${this.name}/`);
  }

  private unmount(): void {
    const points = read("/proc/self/mountinfo")
      .split("\n")
      .map((line) => line.split(" ")[4] ?? "")
      .filter((point) => point.startsWith(`${this.folder}/`));
    for (const point of points.reverse()) execFileSync("umount", ["--lazy", point]);
  }

  /** Of the engine and of its networks, which it leaves: nobody else has taken addresses of the range since its claim. */
  private bridges(): string[] {
    const ofNetworks = this.linksInRange().filter((name) => name.startsWith("br-"));
    return isLink(this.name) ? [...ofNetworks, this.name] : ofNetworks;
  }

  /** Of the helpers that were killed. They lie elsewhere, and are named where the engine finds them. */
  private helperSockets(): string[] {
    const tasks = path.join(this.folder, "exec/containerd/daemon/io.containerd.runtime.v2.task/moby");
    const containers = fs.existsSync(tasks) ? fs.readdirSync(tasks) : [];
    return containers
      .map((id) => read(path.join(tasks, id, "address")).replace(/^unix:\/\//, ""))
      .filter((socket) => path.isAbsolute(socket));
  }
}

const MOST_ENGINES = 40;
const FIRST_RANGE = 200;

/** What an engine consists of. */
const PARTS = /^(setpriv|dockerd|containerd|containerd-shim-.*|runc)$/;

const nameOf = (number: number): string => `nhl-dockerd-${number}`;

interface Claim {
  giveUp(): Promise<void>;
}

/**
 * Undefined when another process has this one. The system itself keeps it, as an abstract socket (Linux, Node 20.8):
 * of two that try one gets it, and it ends with its process, however that ends.
 */
async function claim(name: string): Promise<Claim | undefined> {
  const server = net.createServer();
  server.unref();
  server.listen(`\0${name}`);
  try {
    await once(server, "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return undefined;
    throw error;
  }
  return { giveUp: async () => void (await once(server.close(), "close")) };
}

const ip = (...args: string[]): string => execFileSync("ip", args, { encoding: "utf8", stdio: "pipe" });

const iptables = (what: "--insert" | "--delete", rule: string[]): void =>
  void execFileSync("iptables", ["--wait", what, ...rule], { stdio: "pipe" });

const hasRule = (rule: string[]): boolean =>
  spawnSync("iptables", ["--wait", "--check", ...rule], { stdio: "ignore" }).status === 0;

function read(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

const isLink = (name: string): boolean => fs.existsSync(`/sys/class/net/${name}`);

const processes = (): number[] =>
  fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is gone.
  }
}

/** In the one hierarchy of new machines, or in each of old ones. */
function controlGroups(name: string): string[] {
  const root = "/sys/fs/cgroup";
  const hierarchies = fs.existsSync(root) ? fs.readdirSync(root).map((entry) => path.join(root, entry)) : [];
  return [root, ...hierarchies].map((folder) => path.join(folder, name)).filter((group) => fs.existsSync(group));
}

async function removeGroup(group: string): Promise<void> {
  const below = fs.readdirSync(group, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of below) await removeGroup(path.join(group, name));
  // It is busy while a process that was killed still leaves it.
  const remove = () => {
    fs.rmdirSync(group);
    return true;
  };
  await until(`the control group ${group} is empty`, remove);
}
