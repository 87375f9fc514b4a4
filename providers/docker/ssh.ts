import { ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { Agent } from "node:http";
import { Duplex } from "node:stream";

/** ssh asks nobody, and notices by itself when the other machine does not answer, or not any more. */
const OPTIONS = ["BatchMode=yes", "ConnectTimeout=10", "ServerAliveInterval=5", "ServerAliveCountMax=2"];

/**
 * Reaches an engine at `ssh://` with the ssh of this machine, as Docker's own client does: with its keys, its agent, its
 * settings, and the hosts that it knows. Each request has an ssh of its own.
 */
export class SshAgent extends Agent {
  private readonly args: string[];

  constructor({ hostname, port, username }: URL) {
    super();
    const user = username === "" ? [] : ["-l", decodeURIComponent(username)];
    const at = [...user, ...(port === "" ? [] : ["-p", port]), "--", hostname.replace(/^\[|\]$/g, "")];
    this.args = [...OPTIONS.flatMap((option) => ["-o", option]), ...at, "docker", "system", "dial-stdio"];
  }

  override createConnection(): Duplex {
    return new SshConnection(spawn("ssh", this.args, { stdio: "pipe" }));
  }
}

/** What goes through one ssh. Errors: in the words of ssh. */
class SshConnection extends Duplex {
  constructor(private readonly ssh: ChildProcessWithoutNullStreams) {
    super();
    let said = "";
    ssh.stdout.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) ssh.stdout.pause();
    });
    ssh.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    // That it ended, and why, tells `close`.
    ssh.stdin.on("error", () => undefined);
    ssh.once("error", (error) => this.destroy(error));
    ssh.once("close", (code) => {
      if (code === 0) this.push(null);
      else this.destroy(new Error(reasonIn(said) || `ssh ended with ${code ?? "a signal"}`));
    });
  }

  override _read = (): void => void this.ssh.stdout.resume();

  override _write = (chunk: Buffer, _encoding: BufferEncoding, done: () => void): void =>
    void this.ssh.stdin.write(chunk, () => done());

  override _final = (done: () => void): void => void this.ssh.stdin.end(done);

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.ssh.kill();
    done(error);
  }

  // What a request asks of its socket; ssh sees to it itself.
  setTimeout = (): this => this;
  setKeepAlive = (): this => this;
  setNoDelay = (): this => this;
  ref = (): this => this;
  unref = (): this => this;
}

/** Warnings come before the reason. */
const reasonIn = (said: string): string => said.trim().split(/\s*\n/).at(-1)?.replace(/\.$/, "") ?? "";
