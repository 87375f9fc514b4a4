import { channel } from "node:diagnostics_channel";
import { accountOf, collectingAccount, siteStreamName } from "../../configs/names";
import { StreamSettings } from "../../configs/settings";
import { BookFacts } from "../../diagnosis/book/facts";
import { bookName } from "../book/record";
import { blockingFinding } from "../../diagnosis/diagnose";
import { SiteFacts, StreamFacts } from "../../diagnosis/facts/facts";
import { systemAccess } from "../sourcing/collected";
import { Overrun, clocksOf } from "../sourcing/lost-tail";
import { lookAtBook, reportedBook } from "../book/look";
import { overrunAt } from "./condition";
import type { Observed } from "./observed";
import { failedSteps } from "./unproven";
import { applicationFacts } from "./observe-application";
import { configChanges, hubConfigChanges, recentErrors, remoteOf } from "./observe-config";
import { membersFacts } from "./observe-members";
import { LinkEnds, DUPLICATE, countsOf, isReplaced, linkFacts, watchCrossing } from "./observe-link";
import { noteLeads } from "./leads";
import { readable, serverFacts } from "./observe-server";
import { streamFacts } from "./observe-stream";
import { SAME_LOOK_MS } from "../../servers/nats/asking";
import { publicKeyOf } from "../../servers/nats/authenticator";
import { present } from "../../configs/values";
import { watcherFacts } from "../../servers/watch/hosts";
import { lookUntil } from "../../machine/until";

/** Gathers what can be seen of a site from both ends, without changing anything. */

export { readRemote } from "./observe-config";

/** Everything that was observed is published here too, with the stack's folder: `{ root, facts }`. */
export const OBSERVED = "nats-hub-leaf.observed";
const observedChannel = channel(OBSERVED);

/** Everything that can be seen of the site now. Never throws: what cannot be read is a fact too. */
export async function observe(observed: Observed): Promise<SiteFacts> {
  const { access, root, place, system, hubDomain, linkSeed } = observed;
  const { site } = access;
  const owner = observed.stack === undefined ? undefined : { site, expect: access.expect, root, stack: observed.stack };
  const account = accountOf(site);
  const servers = systemAccess(access, system);
  const ends: LinkEnds = { ...servers, site, account };
  const collecting = [...new Set(observed.streams.map((stream) => collectingAccount(stream, site)))];
  const before = await readable(countsOf(ends, SAME_LOOK_MS));
  // Through the hub each question to a site that hangs would wait for its whole time.
  const isSilent = access.throughHub === true && before === undefined;
  const clocks = readable(clocksOf(access, system));
  const { hubServers } = observed;
  const watching = hubServers === undefined ? undefined : membersFacts(hubServers, system, account);
  const [hub, leaf, streams, errors, remote, application] = await Promise.all([
    serverFacts(servers.hub, { account, collecting, storing: collecting, place: observed.hubPlace }),
    // Through the hub a site's accounts cannot be asked for.
    serverFacts(servers.leaf, {
      account,
      collecting: access.throughHub === true ? [] : [account],
      storing: [account],
      place,
    }),
    Promise.all(
      observed.streams.map(async (stream): Promise<StreamFacts> => {
        const name = siteStreamName(stream, site);
        const [seenBefore, probe] = [observed.before[name], observed.probes[name]];
        const looking = readable(clocks.then((known) => overrunAt(observed, stream, known)));
        const [seen, overrun, book] = await Promise.all([
          streamFacts(access, stream, servers, owner),
          looking,
          isSilent ? reportedBook(root, stream, site) : looking.then((found) => bookOf(observed, stream, found)),
        ]);
        return {
          ...seen,
          ...(name === stream.name ? {} : { declaredAs: stream.name }),
          ...present({ book, overrun, before: seenBefore, probe }),
        };
      }),
    ),
    place === undefined ? [] : recentErrors(place),
    place === undefined ? undefined : remoteOf(place),
    observed.application === undefined || access.throughHub === true
      ? undefined
      : applicationFacts(access.url, observed.application, {
          site,
          subjects: observed.streams.flatMap(({ subjects }) => subjects),
          streams: observed.streams.map((stream) => siteStreamName(stream, site)),
        }),
  ]);
  const ofSite = hub.links.filter((link) => link.name === site);
  const facts: SiteFacts = {
    site,
    declared: { account, domain: site, hubDomain, linkKey: publicKeyOf(linkSeed) },
    failedSteps: failedSteps(root, site),
    hub: {
      ...hub.facts,
      ...present({ members: await watching }),
      links: ofSite.map(linkFacts),
      strangers: hub.links.filter((link) => link.account === account && link.name !== site).map(({ name }) => name),
    },
    leaf: {
      ...leaf.facts,
      ...(access.throughHub === true ? { throughHub: true } : {}),
      links: leaf.links.map(linkFacts),
      errors,
    },
    streams,
  };
  if (remote !== undefined) facts.leaf.remote = remote;
  if (application !== undefined) facts.leaf.application = application;
  if (observed.watcher !== undefined) facts.watcher = await watcherFacts(observed.watcher);
  if (observed.maxPayload !== undefined) facts.declared.maxPayload = observed.maxPayload;
  if (observed.comparesConfigs === true) {
    const [ofHub, ofLeaf] = await Promise.all([
      readable(hubConfigChanges(observed, servers.hub)),
      place === undefined || isSilent ? [] : readable(configChanges(place, servers.leaf)),
    ]);
    facts.configChanges = { hub: ofHub ?? [], leaf: ofLeaf ?? [] };
  }
  if (before !== undefined && streams.some(({ asked }) => asked === "no answer")) {
    const between = await watchCrossing(ends, before).catch(() => undefined);
    if (between !== undefined) facts.unanswered = between;
  }
  if (DUPLICATE.test(errors.at(-1) ?? "")) facts.hub.replaced = (await readable(isReplaced(ends))) === true;
  noteLeads(root, facts);
  observedChannel.publish({ root, facts });
  return facts;
}

/** What is new is looked at several times. */
const BOOK_TIMEOUT_MS = 10_000;

/** What was reported before stays reported when the streams cannot be read in time. */
async function bookOf(
  { access, root, booked }: Observed,
  stream: StreamSettings,
  overrun: Overrun | undefined,
): Promise<BookFacts | undefined> {
  const { site, expect } = access;
  if (expect === "offline") return undefined;
  return (
    (await readable(
      lookAtBook({ root, access, stream, overrun, copy: booked?.[bookName(stream, site)] }),
      BOOK_TIMEOUT_MS,
    )) ?? reportedBook(root, stream, site)
  );
}

const LINK_GRACE_MS = 5_000;

/** Looks again while the link may still come back by itself, as it does within a second after a restart of the hub. */
export async function observeSettled(observed: Observed, timeoutMs: number): Promise<SiteFacts> {
  return await lookUntil(
    () => observe(observed),
    (facts) => blockingFinding(facts)?.code !== "link-down" || facts.failedSteps.length > 0,
    { within: Math.min(LINK_GRACE_MS, timeoutMs), every: 100 },
  );
}
