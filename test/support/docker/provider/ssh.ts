import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { Agent } from "node:http";
import { Duplex } from "node:stream";

/** Each request over an `ssh` of its own, called and quoted as Docker's own client does it. */
export function throughSsh(host: string, options: readonly string[]): Agent {
  const { hostname, port, username, pathname } = new URL(host);
  const timeout = options.join("").includes("ConnectTimeout") ? [] : ["-o", "ConnectTimeout=30"];
  const terminal = options.includes("-T") ? [] : ["-T"];
  const at = [...(username ? ["-l", username] : []), ...(port ? ["-p", port] : [])];
  const socket = /^\/*$/.test(pathname) ? [] : [`--host=unix://${pathname}`];
  const command = [...at, ...options, ...timeout, ...terminal, "--", hostname, "docker", ...socket, ...DIAL];
  return new (class extends Agent {
    override createConnection(): Duplex {
      // A session of its own: ssh finds no terminal to ask somebody.
      return new Connection(spawn("ssh", command, { stdio: "pipe", detached: true }), command);
    }
  })();
}

const DIAL = ["system", "dial-stdio"];

/** Errors: in the words of Docker's own client. */
class Connection extends Duplex {
  constructor(
    private readonly ssh: ChildProcessWithoutNullStreams,
    command: readonly string[],
  ) {
    super();
    let said = "";
    ssh.stdout.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) ssh.stdout.pause();
    });
    ssh.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    ssh.stdin.on("error", () => undefined);
    ssh.once("error", (error) => this.destroy(error));
    ssh.once("close", (code) => {
      if (code === 0) this.push(null);
      else {
        const ended = `command [ssh ${command.join(" ")}] has exited with exit status ${code}`;
        const please = "make sure the URL is valid, and Docker 18.09 or later is installed on the remote host";
        this.destroy(new Error(`error during connect: ${ended}, ${please}: stderr=${said}`));
      }
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

  // What a request asks of its socket.
  setTimeout = (): this => this;
  setKeepAlive = (): this => this;
  setNoDelay = (): this => this;
  ref = (): this => this;
  unref = (): this => this;
}
