import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { isExecutable, onPath } from "../../../machine/locate";
import { freePort } from "../fleets/foreign-port";
import { until } from "../until";

/**
 * A real ssh server on loopback, as the machine of a Docker engine has one, and a real ssh that knows nothing but it.
 * Neither reads this machine's or this user's settings, keys and known hosts.
 */
export class SshServer {
  private daemon: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    private readonly port: number,
  ) {
    standing.add(this);
  }

  /** Why none can be started on this machine; undefined when one can. */
  static unavailable(): string | undefined {
    const missing = Object.entries(NEEDED).find(([command]) => commandPath(command) === undefined);
    return missing && `${missing[0]} was not found (Debian package ${missing[1]})`;
  }

  /** Whoever logs in finds the Docker engine at this address. */
  static async start(engine: string): Promise<SshServer> {
    const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "nhl-sshd-")));
    const server = new SshServer(folder, await freePort());
    server.writeFiles(engine);
    await server.resume();
    return server;
  }

  get url(): string {
    return `ssh://root@127.0.0.1:${this.port}`;
  }

  /** With an `ssh` on the PATH that has this server's key and knows its host key. */
  get env(): { PATH: string } {
    return { PATH: `${this.folder}:${process.env.PATH ?? ""}` };
  }

  /** From now on the client does not know the server, or the server not the client. */
  forget(which: "known_hosts" | "authorized_keys"): void {
    fs.renameSync(this.file(which), this.file(`${which}.forgotten`));
  }

  remember(which: "known_hosts" | "authorized_keys"): void {
    fs.renameSync(this.file(`${which}.forgotten`), this.file(which));
  }

  /** The machine goes away: nobody listens any more, and who is logged in is thrown out. */
  async pause(): Promise<void> {
    const { daemon } = this;
    this.daemon = undefined;
    if (daemon?.pid === undefined) return;
    for (const pid of [...childrenOf(daemon.pid), daemon.pid]) kill(pid);
    await until("the ssh server ends", () => daemon.exitCode !== null || daemon.signalCode !== null);
  }

  async resume(): Promise<void> {
    const begun = this.logged().length;
    const log = fs.openSync(this.file("log"), "a");
    // In the foreground it stays our child; it asks to be called by its whole path.
    this.daemon = spawn(commandPath("sshd") ?? "", ["-D", "-e", "-f", this.file("sshd_config")], {
      stdio: ["ignore", log, log],
    });
    fs.closeSync(log);
    await until(`the ssh server listens`, () => /Server listening/.test(this.logged().slice(begun)));
  }

  async stop(): Promise<void> {
    if (!standing.delete(this)) return;
    await this.pause();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  private file = (name: string): string => path.join(this.folder, name);
  private logged = (): string => (fs.existsSync(this.file("log")) ? fs.readFileSync(this.file("log"), "utf8") : "");

  private writeFiles(engine: string): void {
    for (const name of ["host_key", "key"])
      execFileSync(commandPath("ssh-keygen") ?? "", ["-q", "-t", "ed25519", "-N", "", "-f", this.file(name)]);
    const publicKey = (name: string) => fs.readFileSync(this.file(`${name}.pub`), "utf8");
    fs.writeFileSync(this.file("authorized_keys"), publicKey("key"));
    fs.writeFileSync(this.file("known_hosts"), `[127.0.0.1]:${this.port} ${publicKey("host_key")}`);
    const lines = (options: Record<string, string>) =>
      Object.entries(options).map(([name, value]) => `${name} ${value}\n`);
    const ofServer = {
      ListenAddress: `127.0.0.1:${this.port}`,
      HostKey: this.file("host_key"),
      AuthorizedKeysFile: this.file("authorized_keys"),
      PidFile: "none",
      UsePAM: "no",
      PasswordAuthentication: "no",
      KbdInteractiveAuthentication: "no",
      PermitRootLogin: "prohibit-password",
      // The folder of temporary files may be written by everybody.
      StrictModes: "no",
      SetEnv: `DOCKER_HOST=${engine}`,
    };
    const ofClient = {
      UserKnownHostsFile: this.file("known_hosts"),
      GlobalKnownHostsFile: "none",
      IdentityFile: this.file("key"),
      IdentitiesOnly: "yes",
      IdentityAgent: "none",
    };
    fs.writeFileSync(this.file("sshd_config"), lines(ofServer).join(""));
    fs.writeFileSync(this.file("ssh_config"), lines(ofClient).join(""));
    // ssh takes a user's home from the machine, not from the environment.
    const ssh = `#!/bin/sh\nexec ${commandPath("ssh")} -F ${this.file("ssh_config")} "$@"\n`;
    fs.writeFileSync(this.file("ssh"), ssh, { mode: 0o700 });
    // The server keeps its unprivileged part there; usually its service makes it.
    fs.mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  }
}

const NEEDED = { sshd: "openssh-server", ssh: "openssh-client", "ssh-keygen": "openssh-client" };

/** Not on every user's PATH. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

const commandPath = (command: string): string | undefined =>
  [...SYSTEM_FOLDERS.map((folder) => path.join(folder, command)), ...onPath(command)].find(isExecutable);

/** The processes below this one, the lowest first. */
function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" });
  const children = stdout.trim().split(/\s+/).filter(Boolean).map(Number);
  return children.flatMap((child) => [...childrenOf(child), child]);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is gone.
  }
}

/** Servers that still run; those that a test forgot are stopped after all tests. */
const standing = new Set<SshServer>();

after(async () => {
  for (const server of standing) await server.stop();
});
