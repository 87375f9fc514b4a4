import type { ContainerInspectInfo } from "dockerode";
import { DATA_FOLDER, SERVER_UID } from "../configs/container";
import { saidBy, statusOf, withEngine } from "./docker/engine";
import { isGone } from "./docker/archive";
import { plainLog } from "./docker/plain-log";
import { STORE, VolumeFiles, makeStore } from "./docker/volume-files";
import { Refusal } from "../machine/refusal";
import { ServerFiles } from "./files/server-files";
import { FOREIGN_FILES } from "./server-end";
import { type DockerPlace, PlaceGone, type ProcessState, type Room, type ServerHost } from "./server-host";

/** The engine answers when the server has stopped: the longest that `docker.stopTimeout` may be, and a while. */
const STOP_ANSWER_TIMEOUT_MS = 660_000;
const START_ANSWER_TIMEOUT_MS = 60_000;
const LOG_LINES = 400;

/**
 * What was read, by engine and name of the container: a provider lives for one command only, and is the only one that
 * writes. A container that took the place of another may have another volume.
 */
const opened = new Map<string, { container: string; files: Promise<VolumeFiles> }>();

export class DockerHost implements ServerHost {
  /** The configuration is checked by this machine's nats-server. */
  readonly natsServer = undefined;

  constructor(private readonly place: DockerPlace) {}

  files(): Promise<ServerFiles> {
    const { engine, container, name, folder } = this.place;
    const key = `${engine.url ?? ""} ${name}`;
    const known = opened.get(key);
    if (known !== undefined && [known.container, name].includes(container)) return known.files;
    const files = VolumeFiles.open(engine, { container, name, lockFolder: folder }).catch((error: unknown) => {
      opened.delete(key);
      throw this.explain(error);
    });
    opened.set(key, { container, files });
    return files;
  }

  async isRunning(): Promise<boolean> {
    return (await this.state()) !== "gone";
  }

  async state(): Promise<ProcessState> {
    const state = await this.inspected();
    if (state === undefined || !state.Running || state.Restarting) return "gone";
    return state.Paused ? "frozen" : "running";
  }

  async thaw(): Promise<void> {
    const { engine, container } = this.place;
    try {
      await withEngine(engine, (docker) => docker.getContainer(container).unpause());
    } catch (error) {
      // Another step of the same command may have been first.
      if ((await this.state()) === "frozen") throw this.explain(error);
    }
  }

  /** The volume is the engine's, mostly on another machine. */
  room = (): Room | undefined => undefined;

  get storeCure(): string {
    const { engine, name } = this.place;
    const docker = ["docker", ...(engine.url === undefined ? [] : ["-H", engine.url])].join(" ");
    const owner = `${SERVER_UID}:${SERVER_UID}`;
    const command = `${docker} run --rm -v ${name}-data:${DATA_FOLDER} busybox chown -R ${owner} ${DATA_FOLDER}/${STORE}`;
    return `${FOREIGN_FILES} ${command}`;
  }

  readonly versionCure = "name a newer image in 'docker.image' and run 'make upgrade'";

  /** A taken port shows when the container starts: it may be on another machine. */
  refuseUnstartable = (): Promise<void> => Promise.resolve();

  async start(): Promise<{ exitCode: () => Promise<number | undefined> }> {
    const { engine, container } = this.place;
    try {
      await makeStore(engine, container);
    } catch (error) {
      throw this.explain(error);
    }
    return this.run();
  }

  /** Starts what the container is made for, as it is. */
  async run(): Promise<{ exitCode: () => Promise<number | undefined> }> {
    const { engine, container } = this.place;
    try {
      await withEngine(engine, (docker) => docker.getContainer(container).start(), START_ANSWER_TIMEOUT_MS);
    } catch (error) {
      // 304: it runs already.
      if (statusOf(error) !== 304) throw this.explain(error);
    }
    return { exitCode: () => this.exitCode() };
  }

  /** A process that ends is started again by the engine: one that ended once has failed, and is left stopped. */
  private async exitCode(): Promise<number | undefined> {
    const inspected = await this.inspect();
    const { Running, Restarting, ExitCode } = inspected?.State ?? { Running: false, Restarting: false, ExitCode: -1 };
    if (Running && !Restarting && (inspected?.RestartCount ?? 0) === 0) return undefined;
    await this.stop();
    return ExitCode;
  }

  async stop(): Promise<void> {
    const { engine, container } = this.place;
    try {
      // The container itself knows how long it has.
      await withEngine(engine, (docker) => docker.getContainer(container).stop(), STOP_ANSWER_TIMEOUT_MS);
    } catch (error) {
      if (statusOf(error) !== 304 && !isGone(error)) throw this.explain(error);
    }
  }

  async log(): Promise<string> {
    const { engine, container } = this.place;
    const options = { stdout: true, stderr: true, tail: LOG_LINES, follow: false as const };
    try {
      return plainLog(await withEngine(engine, (docker) => docker.getContainer(container).logs(options)));
    } catch {
      return "";
    }
  }

  /** Its volumes are Pulumi's. */
  clear = (): void => undefined;

  private async inspect(): Promise<ContainerInspectInfo | undefined> {
    const { engine, container } = this.place;
    try {
      return await withEngine(engine, (docker) => docker.getContainer(container).inspect());
    } catch (error) {
      if (isGone(error)) return undefined;
      throw this.explain(error);
    }
  }

  private inspected = async (): Promise<ContainerInspectInfo["State"] | undefined> => (await this.inspect())?.State;

  private explain(error: unknown): unknown {
    if (error instanceof Refusal) return error;
    const said = saidBy(error);
    const { name } = this.place;
    if (isGone(error))
      return new PlaceGone(
        `container ${name} was removed; run 'make up' (or 'pulumi up --refresh'), which recreates it`,
      );
    const [, host, port] = PUBLISHED.exec(said) ?? [];
    const listener = port === undefined ? "a port that it publishes" : `port ${port} on ${host}`;
    if (/port is already allocated|address already in use/i.test(said))
      return new Refusal(
        `container ${name}: ${listener} is taken by something that this stack did not start; ` +
          "stop it, or give this server another port under 'ports' in the settings",
      );
    if (/cannot assign requested address/i.test(said))
      return new Refusal(
        `container ${name}: ${listener} cannot be published: its machine does not have this address; correct this server's 'host'`,
      );
    return new Refusal(`container ${name}: ${said}`);
  }
}

/** How engines, by version, name the address that they cannot publish on. */
const PUBLISHED = /(?:listen tcp\d?|Bind for|bind host port(?: for)?) (\[[^\]]+\]|[^\s:]+):(\d+)/;
