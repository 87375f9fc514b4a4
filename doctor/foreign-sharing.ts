import { overlaps } from "../configs/subjects";
import type { FleetFile, ForeignSite } from "../configs/reading/fleet-file";
import { hubUrls } from "../configs/reading/fleet-file";
import type { DoctorFinding } from "../diagnosis/facts/doctor-report";
import { linkAccount } from "../diagnosis/foreign/links";
import { linksWithSubjects } from "../servers/nats/system";
import { JetStream, StoredMessage } from "../servers/nats/jetstream";
import { divide } from "../fleet/sourcing/lost-tail";
import type { Asking, StreamSeen } from "./foreign-asking";

/**
 * Sites that store each other's messages: their links end in one account of the hub, which passes every message on to
 * whoever wants its subject. The hub then takes each message once from every such site.
 */

/** Messages that are compared; fewer prove nothing. */
const COMPARED = 5;
const FEWEST = 3;

/** Two sites store one message that far apart at most, in milliseconds; their clocks are taken into account. */
const APART_MS = 5_000;
/** Messages of one subject that are read within that time. */
const MOST_READ = 50;

/** Findings about messages of this site's streams that another site of the file stores too. */
export async function sharedMessages(
  file: FleetFile,
  site: ForeignSite,
  streams: readonly StreamSeen[],
  asking: Asking,
): Promise<DoctorFinding[]> {
  const account = linkAccount(site);
  const { system } = file.hub;
  const own = streams.filter(isPublishedTo);
  // What a region passes on between its sites is not looked at: its system account is not asked for subjects.
  const others = file.sites.filter((one) => one !== site && one.via === undefined && one.account === account);
  if (account === undefined || system === undefined || site.via !== undefined) return [];
  if (own.length === 0 || others.length === 0) return [];
  const hub = await asking.connection({ ...file.hub, urls: hubUrls(file) }, system);
  const links = await linksWithSubjects(hub, account);
  const found = others.map(async (other): Promise<DoctorFinding[]> => {
    const names = other.servers ?? [other.name];
    const wanted = links.flatMap(({ name, subscriptions_list: list = [] }) => (names.includes(name) ? list : []));
    const asked = own.filter((one) => subjectsOf(one).some((mine) => wanted.some((each) => overlaps(mine, each))));
    const theirs = asked.length === 0 ? [] : await streamsOf(other, asking);
    const both = await Promise.all(
      asked.map(async (mine) => {
        const stored = await storedAtBoth(mine, theirs);
        return stored === undefined ? [] : [findingOf(site, other, mine, account, stored)];
      }),
    );
    return both.flat();
  });
  return (await Promise.all(found)).flat();
}

function findingOf(
  site: ForeignSite,
  other: ForeignSite,
  { info }: StreamSeen,
  account: string,
  { at, count }: { at: StreamSeen; count: number },
): DoctorFinding {
  const { name } = info.config;
  const subjects = subjectsOf({ info }).join(", ");
  return {
    code: "messages-shared",
    severity: "error",
    symptom: `messages of stream ${name} reach the hub twice`,
    cause: `site ${other.name} stores the messages of site ${site.name} too: both links end in the account ${account} of the hub, which passes on what is published, so each message reaches the hub from both sites`,
    evidence: `the last ${count} messages of ${name} are in the stream ${at.info.config.name} of ${other.name} too; its link asks the hub for ${subjects}`,
    next: `give each site an account of its own on the hub; or keep the subjects from the link: deny_imports: ["${subjectsOf({ info }).join('", "')}"] in the leaf remote of ${other.name}, and of every other site`,
    site: site.name,
    stream: name,
  };
}

const subjectsOf = ({ info }: Pick<StreamSeen, "info">): string[] => info.config.subjects ?? [];

/** Whether messages are only published to it: a stream that sources another one holds that one's messages on purpose. */
const isPublishedTo = ({ info }: StreamSeen): boolean =>
  (info.sources ?? []).length === 0 && info.mirror === undefined && subjectsOf({ info }).length > 0;

/** The streams of another site, as far as they can be asked for at the site's own server. */
async function streamsOf({ url, tls, login, streams = [] }: ForeignSite, asking: Asking): Promise<StreamSeen[]> {
  const seen = streams.map(async ({ name, login: own = login }) => {
    if (url === undefined || own === undefined) return undefined;
    const js = new JetStream(await asking.connection({ urls: [url], tls }, own));
    const info = await js.stream(name);
    return info === undefined ? undefined : { js, info };
  });
  const all = await Promise.all(seen.map((one) => one.catch(() => undefined)));
  return all.filter((one) => one !== undefined).filter(isPublishedTo);
}

/** The first of the other streams that holds all compared messages of this one. */
async function storedAtBoth(
  from: StreamSeen,
  others: readonly StreamSeen[],
): Promise<{ at: StreamSeen; count: number } | undefined> {
  const newest = await newestOf(from);
  if (newest.length < FEWEST) return undefined;
  const ahead = from.info.clock?.aheadMs ?? 0;
  for (const at of others) {
    const found = await Promise.all(newest.map((message) => isStoredAt(at, message, message.storedAt - ahead)));
    if (found.every(Boolean)) return { at, count: found.length };
  }
  return undefined;
}

/** The newest messages with a payload: empty ones are all alike. */
async function newestOf({ js, info }: StreamSeen): Promise<StoredMessage[]> {
  const { first_seq: first, last_seq: last } = info.state;
  const from = Math.max(first, last - COMPARED + 1);
  const all = await Promise.all(
    Array.from({ length: Math.max(last - from + 1, 0) }, (_, i) => js.messageAt(info.config.name, from + i)),
  );
  return all.filter((one) => one !== undefined).filter(({ payload }) => payload.length > 0);
}

async function isStoredAt({ js, info }: StreamSeen, message: StoredMessage, storedAt: number): Promise<boolean> {
  const ahead = info.clock?.aheadMs ?? 0;
  const stream = { stream: info.config.name, filter: message.subject };
  const range = { low: info.state.first_seq, high: info.state.last_seq };
  const isBefore = (one: StoredMessage): boolean => one.storedAt - ahead < storedAt - APART_MS;
  let { first: next } = await divide(js, stream, range, isBefore);
  for (let read = 0; next !== undefined && read < MOST_READ; read++) {
    if (next.storedAt - ahead > storedAt + APART_MS) return false;
    if (Buffer.compare(next.payload, message.payload) === 0) return true;
    next = await js.nextMessage(info.config.name, message.subject, next.seq + 1);
  }
  return false;
}
