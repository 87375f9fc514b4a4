import { collectingAccount } from "../../configs/names";
import type { StreamSettings } from "../../configs/settings";
import { linksRequest, watchedApi } from "../../configs/watch/watch";
import { Breach } from "../../diagnosis/facts/facts";
import { open } from "../nats/connection";
import { sideBySide } from "../../machine/side-by-side";
import { ATTACK_TIMEOUT_MS, CONTROL_TIMEOUT_MS, answers, leafPortKeeps } from "../nats/attempts";

/** Attacks with the watcher's key. The hub refuses the body of those that would change something. */

export interface WatcherTarget {
  /** The hub's name, which is its JetStream domain. */
  name: string;
  /** Whether the hub has several servers; the attacked one is one of them. */
  isOfSeveral: boolean;
  url: string;
  leafUrl: string;
  seed: string;
  sites: readonly string[];
  streams: readonly StreamSettings[];
}

/** JetStream answers these with an error before it does anything, where it lets them in. */
const NOT_JSON = "{";

const REQUESTS = ["STREAM.NAMES", "STREAM.LIST", "INFO"];
const STREAM_REQUESTS = [
  ...["CREATE", "DELETE", "PURGE", "MSG.GET", "MSG.DELETE", "SNAPSHOT", "RESTORE", "LEADER.STEPDOWN"].map(
    (operation) => `STREAM.${operation}`,
  ),
  "CONSUMER.NAMES",
  "CONSUMER.CREATE",
];
/** Of the server that the id names. KICK refuses a body that is not JSON. */
const systemRequests = (id: string, isOfSeveral: boolean): string[] => [
  ...["VARZ", "CONNZ", "JSZ", "ACCOUNTZ"].map((request) => `$SYS.REQ.SERVER.PING.${request}`),
  ...["VARZ", "CONNZ", "KICK", ...(isOfSeveral ? [] : ["LEAFZ"])].map((request) => `$SYS.REQ.SERVER.${id}.${request}`),
];

/** @param site that the breaches are reported at. */
export async function attackAsWatcher(site: string, target: WatcherTarget): Promise<Breach[]> {
  const { name, isOfSeveral, url, leafUrl, seed, sites, streams } = target;
  const next = "restore the hub's accounts (run 'pulumi up')";
  const breach = (attack: string, evidence: string): Breach => ({ site, attack, evidence, next });
  const watched = sites.flatMap((one) =>
    streams.map((stream) => ({ api: watchedApi(collectingAccount(stream, one)), stream: stream.name })),
  );
  const [first] = watched;
  const apis = ["$JS.API", `$JS.${name}.API`, ...sites.map((one) => `$JS.${one}.API`)];
  const connection = await open({ url, seed });
  const id = connection.info?.server_id ?? "";
  const controls = [
    linksRequest(isOfSeveral ? id : undefined),
    ...watched.map(({ api, stream }) => `${api}.STREAM.INFO.${stream}`),
  ];
  const attacks = [
    ...systemRequests(id, isOfSeveral),
    ...[...apis, ...(first === undefined ? [] : [first.api])].flatMap((api) => [
      ...REQUESTS.map((request) => `${api}.${request}`),
      ...STREAM_REQUESTS.map((request) => `${api}.${request}.${first?.stream ?? "EVENTS"}`),
    ]),
  ];
  try {
    const heard = await sideBySide([...new Set(controls)], async (subject) =>
      (await answers(connection, subject, CONTROL_TIMEOUT_MS))
        ? []
        : [breach("control of the watcher's attacks", `${subject} was not answered, so its attacks prove nothing`)],
    );
    const reached = await sideBySide([...new Set(attacks)], async (subject) =>
      (await answers(connection, subject, ATTACK_TIMEOUT_MS, NOT_JSON))
        ? [breach("a request with the watcher's key that it does not need", `${subject} was answered`)]
        : [],
    );
    const asLeaf = (await leafPortKeeps(leafUrl, seed))
      ? [breach("a leaf with the watcher's key", `${leafUrl} kept the link`)]
      : [];
    return [...heard.flat(), ...reached.flat(), ...asLeaf];
  } finally {
    await connection.close();
  }
}
