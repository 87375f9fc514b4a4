import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createUser } from "@nats-io/nkeys";
import { NatsConnection, connect } from "nats";
import { DoctorReport } from "../../../diagnosis/facts/doctor-report";
import { examineFleet } from "../../../doctor/doctor";
import { parseFleetFile } from "../../../configs/reading/fleet-file";
import { foreignSites } from "../../../doctor/doctor-foreign";
import { Logins } from "../../../doctor/doctor-logins";
import { makeFolder, serverFiles } from "../../../machine/folders";
import { JetStream } from "../../../servers/nats/jetstream";
import { freePorts } from "../free-ports";
import { startServer, stopServer } from "./servers";
import { until } from "../until";

/** A hub of one or three servers and a site that nobody made with this program, with users, accounts and names of their own. */

const common = { storage: "file", retention: "limits", max_bytes: -1, max_age: 0, discard: "old" } as const;
const stream = { ...common, num_replicas: 1, metadata: {} };
export const SOURCE = { name: "MEASURED", external: { api: "$JS.plant1.API", deliver: "" } };
export const AT_SITE = { ...stream, name: "MEASURED", subjects: ["measured.>"] };
export const ON_HUB = { ...stream, name: "FROM_PLANT_1", sources: [SOURCE] };

const user = (name: string): string => `{ user: ${name}, password: ${name}-password }`;

export interface ForeignOptions {
  /** Servers of the hub; the link ends at the last one, and `hub.url` of the file is the first. @default 1 */
  hubs?: 1 | 3;
  /** The stream at the hub. @default `ON_HUB`, which sources the site's */
  onHub?: object;
}

export class ForeignFleet {
  private clients: NatsConnection[] = [];
  private readonly link = createUser();
  readonly site: string;

  private constructor(
    readonly folder: string,
    /** Three for each hub server: clients, leaf links, routes; then the site's. */
    private readonly firstPort: number,
    private readonly hubs: number,
  ) {
    this.site = join(folder, "site");
  }

  static async start({ hubs = 1, onHub = ON_HUB }: ForeignOptions = {}): Promise<ForeignFleet> {
    const folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-foreign-"));
    const fleet = new ForeignFleet(folder, await freePorts(3 * hubs + 1), hubs);
    await Promise.all(Array.from({ length: hubs }, (_, i) => fleet.startHub(i)));
    await fleet.startSite();
    await fleet.linked();
    await fleet.create("app", AT_SITE);
    await until("the hub's stream is made", () =>
      fleet.create("plant", onHub).then(
        () => true,
        (error) => {
          if (hubs === 1) throw error;
          return false;
        },
      ),
    );
    return fleet;
  }

  get seed(): string {
    return new TextDecoder().decode(this.link.getSeed());
  }

  hub = (i = 0): string => join(this.folder, this.hubs === 1 ? "hub" : `hub-${i + 1}`);
  private port = (of: "client" | "leaf" | "route", i = 0): number =>
    this.firstPort + 3 * i + ["client", "leaf", "route"].indexOf(of);
  hubUrl = (i = 0): string => `nats://127.0.0.1:${this.port("client", i)}`;
  private get sitePort(): number {
    return this.firstPort + 3 * this.hubs;
  }
  get siteUrl(): string {
    return `nats://127.0.0.1:${this.sitePort}`;
  }

  private startHub(i: number): Promise<void> {
    const routes = Array.from({ length: this.hubs }, (_, other) => `nats://127.0.0.1:${this.port("route", other)}`);
    const cluster =
      this.hubs === 1
        ? ""
        : `cluster { name: center, listen: "127.0.0.1:${this.port("route", i)}", routes: [ ${routes.join(", ")} ] }`;
    return start(
      this.hub(i),
      `server_name: central${this.hubs === 1 ? "" : `-${i + 1}`}
listen: "127.0.0.1:${this.port("client", i)}"
jetstream { store_dir: "${serverFiles(this.hub(i)).store}", domain: central }
leafnodes { listen: "127.0.0.1:${this.port("leaf", i)}" }
accounts {
  ADMIN { users: [ ${user("admin")} ] }
  PLANT { jetstream: enabled, users: [ { nkey: ${this.link.getPublicKey()} }, ${user("plant")} ] }
}
system_account: ADMIN
${cluster}
`,
    );
  }

  private startSite(): Promise<void> {
    const url = `nats-leaf://127.0.0.1:${this.port("leaf", this.hubs - 1)}`;
    return start(
      this.site,
      `server_name: plant-1
listen: "127.0.0.1:${this.sitePort}"
jetstream { store_dir: "${serverFiles(this.site).store}", domain: plant1 }
leafnodes { reconnect: "100ms", remotes: [ { url: "${url}", no_randomize: true, account: LOCAL, nkey: ${this.seed} } ] }
accounts {
  ADMIN { users: [ ${user("admin")} ] }
  LOCAL { jetstream: enabled, users: [ ${user("app")} ] }
  OTHER { users: [ ${user("other")} ] }
}
system_account: ADMIN
`,
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
    await stopServer(this.site);
    await Promise.all(Array.from({ length: this.hubs }, (_, i) => stopServer(this.hub(i))));
    rmSync(this.folder, { recursive: true });
  }

  /** Users `app` and `other` are the site's, `plant` and `admin` the hub's. */
  as(name: "app" | "other" | "plant" | "admin"): Promise<NatsConnection> {
    return this.connected(name === "app" || name === "other" ? this.siteUrl : this.hubUrl(), name);
  }

  jetStream = async (name: "app" | "plant"): Promise<JetStream> => new JetStream(await this.as(name));

  /** Makes a stream, of whatever the server understands. */
  async create(name: "app" | "plant", config: object): Promise<void> {
    await (await this.jetStream(name)).createStream(config as typeof AT_SITE);
  }

  /** Publishes at the site, until the hub has so many messages. */
  async measure(total: number, { subject = "measured.x", onHub = "FROM_PLANT_1" } = {}): Promise<void> {
    const hub = await this.jetStream("plant");
    const held = async () => (await hub.stream(onHub))?.state.messages ?? 0;
    const site = (await this.as("app")).jetstream();
    for (let i = await held(); i < total; i++) await site.publish(subject, `${i}`);
    await until(`the hub has ${total} messages`, async () => (await held()) === total);
  }

  /** Pauses the consumer that the hub's source of these subjects has at the site. */
  async pauseSource(filter: string): Promise<void> {
    const [admin, app] = [await this.connected(this.siteUrl, "admin"), await this.as("app")];
    const options = {
      account: "LOCAL",
      accounts: true,
      streams: true,
      consumer: true,
      config: true,
      direct_consumer: true,
    };
    type Consumer = { name: string; config: { filter_subject?: string } };
    type Answer = { data: { account_details: { stream_detail: { direct_consumer_detail?: Consumer[] }[] }[] } };
    const name = await until("the source has its consumer", async () => {
      const answer = await admin.request(`$SYS.REQ.SERVER.${admin.info!.server_id}.JSZ`, JSON.stringify(options));
      const consumers = answer
        .json<Answer>()
        .data.account_details.flatMap(({ stream_detail: streams }) =>
          streams.flatMap(({ direct_consumer_detail: ofSources }) => ofSources ?? []),
        );
      return consumers.find(({ config }) => config.filter_subject === filter)?.name;
    });
    const pause = JSON.stringify({ pause_until: new Date(Date.now() + 600_000).toISOString() });
    await app.request(`$JS.API.CONSUMER.PAUSE.MEASURED.${name}`, pause);
  }

  private async connected(servers: string, name: string): Promise<NatsConnection> {
    const client = await connect({ servers, user: name, pass: `${name}-password` });
    this.clients.push(client);
    return client;
  }

  /** The link ends at the hub's last server. */
  async linked(): Promise<void> {
    await until("the link is up", async () => {
      const client = await this.connected(this.hubUrl(this.hubs - 1), "admin");
      const answer = await client.request(`$SYS.REQ.SERVER.${client.info!.server_id}.LEAFZ`);
      return (answer.json<{ data: { leafs?: unknown[] } }>().data.leafs ?? []).length === 1;
    });
  }

  private password = (name: string) => {
    writeFileSync(join(this.folder, name), `${name}-password\n`);
    return { user: name, password: { file: name } };
  };

  /** The file that gives access to everything. */
  file = () => ({
    hub: { url: this.hubUrl(), domain: "central", system: this.password("admin") },
    accounts: { PLANT: this.password("plant") },
    sites: [
      {
        name: "plant-1",
        account: "PLANT",
        localAccount: "LOCAL",
        domain: "plant1",
        url: this.siteUrl,
        system: this.password("admin"),
        login: this.password("app"),
        streams: [{ name: "MEASURED", hub: "FROM_PLANT_1" }],
      },
    ],
  });

  /** The same with something else said of the site. */
  fileWith(change: (site: ForeignSiteFile) => void) {
    const file = this.file();
    change(file.sites[0]!);
    return file;
  }

  async examined(file: object = this.file(), timeoutMs = 15_000): Promise<DoctorReport> {
    const { file: parsed, problems } = parseFleetFile(JSON.stringify(file));
    if (parsed === undefined) throw new Error(JSON.stringify(problems));
    const logins = new Logins(this.folder);
    try {
      return await examineFleet(foreignSites(parsed, logins), timeoutMs);
    } finally {
      await logins.close();
    }
  }
}

export type ForeignSiteFile = Partial<ReturnType<ForeignFleet["file"]>["sites"][number]>;

async function start(place: string, config: string): Promise<void> {
  makeFolder(serverFiles(place).store);
  writeFileSync(serverFiles(place).config, config, { mode: 0o600 });
  await startServer(place);
}
