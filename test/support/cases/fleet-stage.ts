import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { NatsConnection, connect } from "nats";
import { DoctorReport } from "../../../diagnosis/facts/doctor-report";
import { examineFleet } from "../../../doctor/doctor";
import { parseFleetFile } from "../../../configs/reading/fleet-file";
import { foreignSites } from "../../../doctor/doctor-foreign";
import { Logins } from "../../../doctor/doctor-logins";
import { makeFolder, serverFiles } from "../../../machine/folders";
import { freePorts } from "../free-ports";
import { configOf, isRunning, startServer, stopServer } from "../fleets/servers";
import { CaseFile } from "./case-files";
import { FleetCase } from "./fleet-cases";
import { Stage, Step, play } from "./fleet-steps";

/** The servers of one case, on loopback, and everything that happens to them. */
export class FleetStage implements Stage {
  private readonly clients = new Map<string, NatsConnection>();

  private constructor(
    private readonly root: string,
    private readonly files: readonly CaseFile[],
    private readonly servers: readonly string[],
  ) {}

  static async start(one: FleetCase): Promise<FleetStage> {
    const root = mkdtempSync(join(tmpdir(), "nats-hub-leaf-fleet-"));
    const servers = one.files.flatMap(({ path }) => /^([\w-]+)\.conf$/.exec(path)?.[1] ?? []);
    const stage = new FleetStage(root, await withFreePorts(one.files), servers);
    try {
      for (const { path, text } of stage.files) stage.write(path, await one.trust.fill(stage.stored(path, text)));
      await Promise.all(servers.map((server) => startServer(stage.folder(server))));
    } catch (error) {
      await stage.stop();
      throw error;
    }
    return stage;
  }

  folder = (server: string): string => {
    if (!this.servers.includes(server)) throw new Error(`there is no server ${server}`);
    return join(this.root, server);
  };

  private stored = (path: string, text: string): string =>
    text.replaceAll("<STORE>", serverFiles(join(this.root, path.replace(/\.conf$/, ""))).store);

  private write(path: string, text: string): void {
    const server = this.servers.find((name) => path === `${name}.conf`);
    const file = server === undefined ? join(this.root, path) : serverFiles(this.folder(server)).config;
    if (server !== undefined) makeFolder(serverFiles(this.folder(server)).store);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { mode: 0o600 });
  }

  async play(script: "steps.json" | "cure.json"): Promise<void> {
    const steps = JSON.parse(this.textOf(script) ?? "[]") as Step[];
    for (const step of steps) {
      try {
        await play(step, this);
      } catch (error) {
        throw new Error(`${script}, ${JSON.stringify(step)}: ${String(error)}`);
      }
    }
  }

  textOf = (path: string): string | undefined => this.files.find((file) => file.path === path)?.text;

  connect = async (server: string, login: string): Promise<NatsConnection> => {
    const known = this.clients.get(`${server} ${login}`);
    if (known !== undefined && !known.isClosed()) return known;
    const [, address] = /^listen: "(.+)"$/m.exec(configOf(this.folder(server))) ?? [];
    const [user = "", pass = ""] = login.split(":");
    const client = await connect({ servers: `nats://${address}`, user, pass, reconnect: false });
    this.clients.set(`${server} ${login}`, client);
    return client;
  };

  async examined(): Promise<DoctorReport> {
    const { file, problems } = parseFleetFile(this.textOf("fleet.yaml") ?? "");
    if (file === undefined) throw new Error(JSON.stringify(problems));
    const logins = new Logins(this.root);
    try {
      return await examineFleet(foreignSites(file, logins), 15_000);
    } finally {
      await logins.close();
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.clients.values()].map((client) => client.close()));
    const running = this.servers.map(this.folder).filter(isRunning);
    await Promise.all(running.map(stopServer));
    rmSync(this.root, { recursive: true, force: true });
  }
}

const PORT = /(?<=:|\bport: )2[1-8]\d{3}\b/g;

/** Ports of cases that run side by side, so that no two have one. */
const used = new Set<number>();

async function withFreePorts(files: readonly CaseFile[]): Promise<CaseFile[]> {
  const ports = [...new Set(files.flatMap(({ text }) => text.match(PORT) ?? []))];
  let first = await freePorts(ports.length);
  const row = () => ports.map((_, i) => first + i);
  while (row().some((port) => used.has(port))) first = await freePorts(ports.length);
  for (const port of row()) used.add(port);
  const free = (port: string): string => String(first + ports.indexOf(port));
  return files.map(({ path, text }) => ({ path, text: text.replace(PORT, free) }));
}
