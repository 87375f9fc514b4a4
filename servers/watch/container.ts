import { posix } from "node:path";
import { SERVER_UID, WATCHER_FOLDERS, WATCHER_PORT } from "../../configs/container";
import type { WatcherFacts } from "../../diagnosis/facts/facts";
import { digest } from "../../machine/digest";
import { Refusal, messageOf } from "../../machine/refusal";
import { lookUntil } from "../../machine/until";
import { Entry, fileIn, putArchive } from "../docker/archive";
import { withEngine } from "../docker/engine";
import { plainLog } from "../docker/plain-log";
import { DockerHost } from "../docker-host";
import type { DockerPlace } from "../server-host";
import type { WatchStatus } from "../../views/outputs/watch-metrics";
import type { WatcherHost } from "./host";
import { Program, programDigest } from "./program-files";

/**
 * A watcher in a container beside the hub. Its files lie in a volume of its own, as those of servers do: what a container is
 * created with shows in `docker inspect`.
 */

const START_TIMEOUT_MS = 30_000;

const { mount, program: PROGRAM, own: OWN } = WATCHER_FOLDERS;
/** Written last: a program without it is not whole. */
const PROGRAM_DIGEST = `${PROGRAM}/digest`;
const CONFIG = `${OWN}/watcher.json`;

/** Asks from inside: the port is published on loopback of the engine's machine, which may be another one. */
const ASK =
  `fetch("http://127.0.0.1:${WATCHER_PORT}/healthz",{signal:AbortSignal.timeout(2000)}).then((a)=>a.text())` +
  ".then((t)=>process.stdout.write(t),(e)=>{process.stderr.write(String(e.cause?.message??e.message));process.exit(1)})";

export class WatcherContainer implements WatcherHost {
  private readonly host: DockerHost;

  constructor(private readonly place: DockerPlace) {
    this.host = new DockerHost(place);
  }

  async facts(): Promise<WatcherFacts> {
    try {
      const state = await this.host.state();
      if (state !== "running") return { state };
    } catch (error) {
      return { state: "unreachable", said: messageOf(error) };
    }
    try {
      const { status, waiting } = await this.ask();
      if (status !== "ok") return { state: "behind", said: status };
      return { state: "watches", waiting: Object.keys(waiting).length };
    } catch (error) {
      return { state: "silent", said: messageOf(error) };
    }
  }

  async configDigest(): Promise<string | undefined> {
    const text = await fileIn(this.place.engine, this.place.container, `${mount}/${CONFIG}`);
    return text === undefined ? undefined : digest(text);
  }

  async hasProgram(program: Program): Promise<boolean> {
    const { engine, container } = this.place;
    return (await fileIn(engine, container, `${mount}/${PROGRAM_DIGEST}`)) === programDigest(program);
  }

  async write(program: Program, config: string): Promise<void> {
    const { engine, container } = this.place;
    const own = { mode: 0o700, uid: SERVER_UID };
    const folders = new Set([PROGRAM, ...Object.keys(program).flatMap(foldersOf)]);
    const entries: Entry[] = [
      ...[...folders].sort().map((name): Entry => ({ name: `${name}/`, type: "directory", mode: 0o755, uid: 0 })),
      ...Object.entries(program).map(([name, text]): Entry => ({
        name: `${PROGRAM}/${name}`,
        type: "file",
        text,
        mode: 0o444,
        uid: 0,
      })),
      { name: PROGRAM_DIGEST, type: "file", text: programDigest(program), mode: 0o444, uid: 0 },
      { name: `${OWN}/`, type: "directory", ...own },
      { name: CONFIG, type: "file", text: config, mode: 0o400, uid: SERVER_UID },
    ];
    await putArchive(engine, container, mount, entries);
  }

  async start(): Promise<void> {
    const { exitCode } = await this.host.run();
    const look = async () => {
      const exit = await exitCode();
      return exit === undefined ? this.ask().then(({ status }) => status, messageOf) : `exited (${exit})`;
    };
    const isOver = (seen: string) => seen === "ok" || seen.startsWith("exited (");
    const seen = await lookUntil(look, isOver, { within: START_TIMEOUT_MS, every: 100 });
    if (seen === "ok") return;
    const said = (await this.host.log()).trim().split("\n").slice(-8).join("\n");
    const how = isOver(seen) ? seen : `does not watch after ${START_TIMEOUT_MS / 1000} s: ${seen}`;
    throw new Refusal(
      `watcher: it ${how}${said === "" ? "" : `; it said: ${said}`}; see 'docker logs ${this.place.name}'`,
    );
  }

  async stop(): Promise<void> {
    if ((await this.host.state()) === "frozen") await this.host.thaw();
    await this.host.stop();
  }

  /** Its volume is Pulumi's. */
  clear = (): void => undefined;

  /** What the watcher says of itself. Errors: when it does not answer in time. */
  private async ask(): Promise<WatchStatus & { status: string }> {
    const { engine, container } = this.place;
    const said = await withEngine(engine, async (docker) => {
      const exec = await docker
        .getContainer(container)
        .exec({ Cmd: ["node", "-e", ASK], AttachStdout: true, AttachStderr: true });
      const chunks: Buffer[] = [];
      for await (const chunk of await exec.start({})) chunks.push(chunk as Buffer);
      const { ExitCode } = await exec.inspect();
      return { text: plainLog(Buffer.concat(chunks)), isAnswer: ExitCode === 0 };
    });
    if (!said.isAnswer) throw new Error(said.text.trim() === "" ? "it says nothing" : said.text.trim());
    return JSON.parse(said.text) as WatchStatus & { status: string };
  }
}

/** `program/a/b` for a file `a/b/c`, and what is above it. */
function foldersOf(name: string): string[] {
  const folder = posix.dirname(name);
  return folder === "." ? [] : [...foldersOf(folder), `${PROGRAM}/${folder}`];
}
