import { NatsConnection } from "nats";
import { JetStream, StreamInfo } from "../../../servers/nats/jetstream";
import { closedLinksOfCluster } from "../../../servers/nats/cluster";
import { leafLinks } from "../../../servers/nats/system";
import { sourceConsumers } from "../../../servers/nats/system";
import { startServer, stopServer, editConfig, whileStopped } from "../fleets/servers";
import { keepStore, rollBack } from "../fleets/stores";
import { until } from "../until";

/** Who does it: a server of the case, and a login there as `user:password`. */
interface As {
  server: string;
  login: string;
  /** JetStream domain that is asked through the server. @default its own */
  domain?: string;
}

/** One thing that happens to a fleet; each has one of the verbs. */
export type Step =
  /** Waits for so many leaf links in the server's cluster; `login` is of the system account. */
  | (As & { linked: number })
  /** Waits until the server's cluster has closed a link for that reason; `login` is of the system account. */
  | (As & { closed: string })
  | (As & { create: { name: string } })
  /** Fields that change; null takes one away. */
  | (As & { update: { name: string } & Record<string, unknown> })
  /** A request to the JetStream API that must succeed. */
  | (As & { request: string; body?: unknown })
  | (As & { publish: string; count: number; bytes?: number; ids?: string })
  /** Waits until the stream holds so many messages. */
  | (As & { holds: string; messages: number })
  /** Waits until all sources of the stream, or its mirror, hear of what they source. */
  | (As & { heard: string })
  /** Waits until the stream's consumer has everything acknowledged up to that sequence. */
  | (As & { acked: string; consumer: string; seq: number })
  /** Waits until the stream has no leader. */
  | (As & { leaderless: string })
  /** Waits until a source of the stream has this error. */
  | (As & { failing: string; error: number })
  /** Pauses what a source has at the stream, of the account; `login` is of the system account, `owner` of the account. */
  | (As & { pause: string; account: string; owner: string })
  | { stop: string }
  | { start: string }
  | { edit: string; from: string; to: string; then: "restart" | "reload"; login?: string }
  | { keep: string }
  | { rollBack: string };

export interface Stage {
  /** The folder of the server. */
  folder(server: string): string;
  connect(server: string, login: string): Promise<NatsConnection>;
}

/** A hub of three, or a stream of three replicas, is not there at once. */
const SETTLES_MS = 30_000;

const eventually = <T>(what: string, work: () => Promise<T>): Promise<T> =>
  until(what, async () => ({ value: await work() }), SETTLES_MS).then(({ value }) => value);

export async function play(step: Step, stage: Stage): Promise<void> {
  if ("stop" in step) return stopServer(stage.folder(step.stop));
  if ("start" in step) return startServer(stage.folder(step.start));
  if ("keep" in step) return keepStore({ folder: stage.folder(step.keep) });
  if ("rollBack" in step) return rollBack({ folder: stage.folder(step.rollBack) });
  if ("edit" in step) return edit(step, stage);
  const js = async (): Promise<JetStream> =>
    new JetStream(await stage.connect(step.server, step.login), step.domain, 2_000);
  if ("linked" in step) {
    const { linked, server, login } = step;
    await until(
      `${server} has ${linked} links`,
      async () => (await leafLinks(await stage.connect(server, login))).length === linked,
      SETTLES_MS,
    );
  } else if ("closed" in step) {
    const { closed, server, login } = step;
    await until(`a link is closed with ${closed}`, async () =>
      (await closedLinksOfCluster(await stage.connect(server, login))).some(({ reason }) => reason.startsWith(closed)),
    );
  } else if ("create" in step) {
    await eventually(`${step.create.name} is made`, async () => (await js()).createStream(step.create as never));
  } else if ("update" in step) {
    await eventually(`${step.update.name} is changed`, async () => update(await js(), step.update));
  } else if ("request" in step) {
    await eventually(`${step.request} is answered`, () => request(step, stage));
  } else if ("publish" in step) {
    await publish(step, stage);
  } else if ("holds" in step) {
    const { holds, messages } = step;
    let held: number | undefined;
    const look = async () => (held = (await (await js()).stream(holds))?.state.messages) === messages;
    await until(`${holds} holds ${messages}`, look, SETTLES_MS).catch((error: unknown) => {
      throw new Error(`${String(error)}; it holds ${held}`);
    });
  } else if ("heard" in step) {
    await until(`${step.heard} is heard`, async () => feeds(await (await js()).stream(step.heard)).every(isHeard));
  } else if ("leaderless" in step) {
    const { leaderless } = step;
    await until(`${leaderless} has no leader`, async () => {
      const cluster = (await (await js()).stream(leaderless))?.cluster;
      return cluster !== undefined && (cluster.leader ?? "") === "";
    });
  } else if ("acked" in step) {
    const { acked, consumer, seq, server, login } = step;
    await until(`${consumer} of ${acked} is at ${seq}`, async () => {
      const answer = await (await stage.connect(server, login)).request(`$JS.API.CONSUMER.INFO.${acked}.${consumer}`);
      return (answer.json<{ ack_floor?: { stream_seq: number } }>().ack_floor?.stream_seq ?? 0) >= seq;
    });
  } else if ("failing" in step) {
    await until(`${step.failing} has error ${step.error}`, async () =>
      feeds(await (await js()).stream(step.failing)).some(({ error }) => error?.err_code === step.error),
    );
  } else if ("pause" in step) {
    await pause(step, stage);
  } else throw new Error(`unknown step ${JSON.stringify(step)}`);
}

const feeds = (info: StreamInfo | undefined) => {
  const all = [...(info?.sources ?? []), ...(info?.mirror === undefined ? [] : [info.mirror])];
  if (all.length === 0) throw new Error("it has no source");
  return all;
};

const isHeard = ({ active }: { active: number }): boolean => active >= 0 && active < 1.5e9;

async function update(js: JetStream, change: { name: string } & Record<string, unknown>): Promise<void> {
  const info = await js.stream(change.name);
  if (info === undefined) throw new Error(`there is no ${change.name}`);
  const changed = Object.entries({ ...info.config, ...change }).filter(([, value]) => value !== null);
  await js.updateStream(Object.fromEntries(changed) as never);
}

async function request(
  { server, login, request: subject, body }: As & { request: string; body?: unknown },
  stage: Stage,
) {
  const connection = await stage.connect(server, login);
  const answer = await connection.request(subject, body === undefined ? "" : JSON.stringify(body), { timeout: 2_000 });
  const { error } = answer.json<{ error?: { description?: string } }>();
  if (error !== undefined) throw new Error(error.description);
}

/** Acknowledged messages, some at a time; `ids` is the prefix of their ids. */
async function publish(
  {
    server,
    login,
    publish: subject,
    count,
    bytes = 10,
    ids,
  }: As & { publish: string; count: number; bytes?: number; ids?: string },
  stage: Stage,
): Promise<void> {
  const js = (await stage.connect(server, login)).jetstream();
  const payload = "x".repeat(bytes);
  const one = (i: number) =>
    eventually(`${subject} is stored`, () =>
      js.publish(subject, payload, { timeout: 5_000, ...(ids === undefined ? {} : { msgID: `${ids}${i}` }) }),
    );
  for (let from = 0; from < count; from += 50)
    await Promise.all(Array.from({ length: Math.min(50, count - from) }, (_, i) => one(from + i)));
}

async function pause(
  { server, login, pause: stream, account, owner }: As & { pause: string; account: string; owner: string },
  stage: Stage,
) {
  const system = await stage.connect(server, login);
  const [consumer] = await until(`${stream} has a consumer of a source`, async () => {
    const all = await sourceConsumers(system, account, stream);
    return all.length > 0 && all;
  });
  const body = { pause_until: new Date(Date.now() + 600_000).toISOString() };
  await request({ server, login: owner, request: `$JS.API.CONSUMER.PAUSE.${stream}.${consumer!.name}`, body }, stage);
}

async function edit(
  { edit: server, from, to, then, login }: Extract<Step, { edit: string }>,
  stage: Stage,
): Promise<void> {
  const folder = stage.folder(server);
  const change = () => editConfig(folder, (text) => text.replaceAll(from, to));
  if (then === "restart") return whileStopped(folder, change);
  change();
  const connection = await stage.connect(server, login ?? "");
  await connection.request(`$SYS.REQ.SERVER.${connection.info!.server_id}.RELOAD`, "", { timeout: 5_000 });
}
