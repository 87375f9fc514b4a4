import { ChildProcess, ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { Agent } from "node:http";
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import { SSH_OPTIONS } from "../../configs/container";

/** An ssh server drops some of those that log in when there are more than 10 at once (MaxStartups); others come too. */
const MOST_AT_ONCE = 4;

/**
 * Reaches an engine at `ssh://` with the ssh of this machine, as Docker's own client does: with its keys, its agent, its
 * settings, and the hosts that it knows. To log in there takes long: what has answered is asked again.
 */
export class SshAgent extends Agent {
  private readonly args: string[];

  constructor({ hostname, port, username, pathname }: URL) {
    super({ keepAlive: true, maxSockets: MOST_AT_ONCE });
    const user = username === "" ? [] : ["-l", decodeURIComponent(username)];
    const at = [...user, ...(port === "" ? [] : ["-p", port]), "--", hostname.replace(/^\[|\]$/g, "")];
    const socket = /^\/*$/.test(pathname) ? [] : [quoted(`--host=unix://${decodeURIComponent(pathname)}`)];
    this.args = [...SSH_OPTIONS, "-T", ...at, "docker", ...socket, "system", "dial-stdio"];
  }

  override createConnection(): Duplex {
    return new SshConnection(spawn("ssh", this.args, { stdio: "pipe" }));
  }
}

/** What goes through one ssh. Errors: in the words of ssh. */
class SshConnection extends Duplex {
  private silence: NodeJS.Timeout | undefined;

  constructor(private readonly ssh: ChildProcessWithoutNullStreams) {
    super();
    let said = "";
    ssh.stdout.on("data", (chunk: Buffer) => {
      this.silence?.refresh();
      if (!this.push(chunk)) ssh.stdout.pause();
    });
    ssh.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    // `close` reports that it ended, and why.
    ssh.stdin.on("error", () => undefined);
    ssh.once("error", (error) => this.destroy(error));
    ssh.once("close", (code) => {
      if (code === 0) this.push(null);
      else this.destroy(new Error(reasonIn(said) || `ssh ended with ${code ?? "a signal"}`));
    });
  }

  override _read = (): void => void this.ssh.stdout.resume();

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.silence?.refresh();
    this.ssh.stdin.write(chunk, () => done());
  }

  override _final = (done: () => void): void => void this.ssh.stdin.end(done);

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.setTimeout(0);
    this.ssh.kill();
    done(error);
  }

  /** Like a socket: reports when nothing has moved for this long. 0 switches it off. */
  setTimeout(ms: number): this {
    clearTimeout(this.silence);
    this.silence = ms === 0 ? undefined : setTimeout(() => this.emit("timeout"), ms);
    return this;
  }

  // What else a request asks of its socket; ssh sees to it itself.
  setKeepAlive = (): this => this;
  setNoDelay = (): this => this;

  ref = (): this => this.all("ref");
  /** A connection that waits for another request does not keep the process alive. */
  unref = (): this => this.all("unref");

  private all(what: "ref" | "unref"): this {
    const { ssh } = this;
    for (const part of [ssh, ssh.stdin, ssh.stdout, ssh.stderr] as (ChildProcess | Socket)[]) part[what]();
    return this;
  }
}

/** As one word for the shell of the other machine. */
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** Warnings come before the reason. */
function reasonIn(said: string): string {
  if (said.includes("IDENTIFICATION HAS CHANGED")) return "its host key is not the known one";
  return said.trim().split(/\s*\n/).at(-1)?.replace(/\.$/, "") ?? "";
}
