import type { ConfigServer, Remote } from "../../diagnosis/files/server";
import type { Shown, ShownLink } from "../../diagnosis/files/shown";
import { type Hub, type Link, linkUp } from "../../diagnosis/files/links";
import { Refusal } from "../../machine/refusal";
import { lookUntil } from "../../machine/until";
import { readCertificate } from "../../servers/x509";
import { ProcessHost } from "../../servers/process-host";
import { asksElsewhere, networksOf, preloaded } from "../../diagnosis/files/jwt";
import { FilesToRehearse, LaidServer, lay } from "./layout";
import { proveSourcing } from "./prove-sourcing";
import { Watched, incompleteClusters, isLasting, isReady, monitored, reasonsFor, watchLinks, whyEnded } from "./watch";

/**
 * Runs hand-written files: each becomes a real nats-server on loopback, with ports, stores and certificates of the
 * rehearsal's own, and every link between them is looked at from both ends. Nothing that the files name is dialled or
 * written.
 */

/** How long a server may take until it answers, or ends: on a busy machine longer than the fraction of a second that it needs. */
const START_MS = 15_000;

/** Everything happens in `folder`; its caller ends the servers there and removes it. */
export async function rehearseFiles(
  servers: readonly ConfigServer[],
  files: FilesToRehearse,
  folder: string,
): Promise<Shown> {
  const fleet = linkUp(servers, { hosts: files.hosts });
  const laid = await lay(fleet, files, folder);
  try {
    const untried: string[] = [];
    const there = laid.filter(({ server }) => {
      if (!asksElsewhere(server)) return true;
      untried.push(`${server.file}: it was not run: its resolver asks another server for the accounts`);
      return false;
    });
    const refused = await startAll(there, files.natsServer);
    const running = there.filter(({ server }) => !refused.has(server));
    const links = watchedLinks(running, files, untried);
    const [incomplete] = await Promise.all([incompleteClusters(running), watchLinks(links, laid)]);
    const shown = { refused, links: await outcomes(links, laid, servers, files), incomplete, untried };
    await refuseEnded(running);
    return shown;
  } finally {
    const relays = laid.flatMap(({ ways }) => [...ways.values()].flat().map(({ relay }) => relay));
    await Promise.all(relays.map((relay) => relay.close()));
  }
}

/** Starts every server at once. Resolves with why some did not. */
async function startAll(laid: readonly LaidServer[], natsServer: string): Promise<Map<ConfigServer, string>> {
  const refused = new Map<ConfigServer, string>();
  // Every start is awaited, even if one fails: a server that is still starting cannot be stopped.
  const started = await Promise.allSettled(
    laid.map(async (one) => {
      let said = await start(one, natsServer);
      // A key inside a block may be a variable only. The server knows: it refuses one that is not a setting.
      for (let tries = 0; tries < 9; tries++) {
        const field = /unknown field "([^"]+)"/.exec(said ?? "")?.[1];
        if (field === undefined || !one.rewrite(field)) break;
        said = await start(one, natsServer);
      }
      if (said !== undefined) refused.set(one.server, said);
    }),
  );
  for (const one of started) if (one.status === "rejected") throw one.reason;
  return refused;
}

/** A server that someone killed, or that the machine had no memory for, shows no mistake in its file. */
const killed = ({ server }: LaidServer, words = "it was killed"): Refusal =>
  new Refusal(`a server of ${server.file} ended during the rehearsal: ${words}`);

/** If a server ended meanwhile, what was seen of the links shows nothing. */
async function refuseEnded(running: readonly LaidServer[]): Promise<void> {
  for (const one of running) if (await one.hasEnded()) throw killed(one, whyEnded(one));
}

/** Resolves with why it did not start. */
async function start(one: LaidServer, natsServer: string): Promise<string | undefined> {
  const { exitCode } = await new ProcessHost({ kind: "process", folder: one.folder, natsServer }).start();
  one.hasEnded = async () => (await exitCode()) !== undefined;
  const look = async () => ({
    ended: await one.hasEnded(),
    answers: isReady(one) && (await monitored(one, "varz")) !== undefined,
  });
  const seen = await lookUntil(look, ({ ended, answers }) => ended || answers, { within: START_MS, every: 20 });
  if (seen.ended) {
    const words = whyEnded(one);
    if (words === undefined) throw killed(one);
    return words;
  }
  if (seen.answers) return undefined;
  throw new Refusal(
    `a server of ${one.server.file} did not answer within ${START_MS / 1000} s; try again on a machine that has time`,
  );
}

/** Every remote of a running server whose hub runs too, and that has here what it takes. */
function watchedLinks(running: readonly LaidServer[], files: FilesToRehearse, untried: string[]): Watched[] {
  return running.flatMap((leaf) =>
    [...leaf.ways].flatMap(([remote, ways]) => {
      const there = ways.filter(({ hub }) => running.some(({ server }) => server === hub));
      const [first] = there;
      if (first === undefined) return [];
      const why = whyNotTried(leaf.server, remote, first.hub, files);
      if (why === undefined) return [{ leaf, remote, ways: there, refused: [] }];
      untried.push(`${remote.at.file}:${remote.at.line}: the link was not tried: ${why}`);
      return [];
    }),
  );
}

/** What a rehearsal on this machine cannot have; undefined when nothing is missing. */
function whyNotTried(
  leaf: ConfigServer,
  { credentials, tls }: Remote,
  hub: Hub,
  { find, read }: FilesToRehearse,
): string | undefined {
  const isSeed = credentials !== undefined && /^S[UAON]/.test(credentials.value);
  if (credentials !== undefined && !isSeed && find(leaf, credentials.value) === undefined) {
    return `${credentials.value} is not on this machine`;
  }
  const networks = credentials === undefined || isSeed ? [] : networksOf(read(find(leaf, credentials.value) ?? ""));
  if (networks.length > 0) return `its user may come from ${networks.join(", ")} only, not from loopback`;
  if (hub.accountsElsewhere === "an authorization callout") return `${hub.file} asks an authorization callout`;
  if (hub.accountsElsewhere === "JWTs" && preloaded(hub) === undefined) {
    return `the accounts of ${hub.file} are in a resolver, not in the files`;
  }
  const certificate = tls?.certificate;
  if (hub.listener.tls?.mapsUsers === true && certificate !== undefined && find(leaf, certificate) === undefined) {
    return `${certificate}, which says who the user is, is not on this machine`;
  }
  return undefined;
}

async function outcomes(
  links: readonly Watched[],
  laid: readonly LaidServer[],
  servers: readonly ConfigServer[],
  files: FilesToRehearse,
): Promise<Map<Remote, ShownLink>> {
  const up = (watched: Watched): Pick<ShownLink, "up"> =>
    watched.up === undefined ? {} : { up: { hub: watched.up.hub.server, account: watched.up.account } };
  const first = new Map(
    links.map((watched): [Remote, ShownLink] => {
      const sourcing = { is: "not-tried", why: "" } as const;
      return [watched.remote, { ...up(watched), refusedAt: [], reasons: [], sourcing }];
    }),
  );
  // Judged as the links are now: who was let in as whom.
  const fleet = linkUp(servers, {
    hosts: files.hosts,
    readFile: files.readNamed,
    shown: { refused: new Map(), links: first, incomplete: new Map(), untried: [] },
  });
  const shown = await Promise.all(
    links.map(async (watched, number): Promise<[Remote, ShownLink]> => {
      const link = fleet.links.find(({ remote }) => remote === watched.remote);
      const sourcing =
        link === undefined
          ? ({ is: "not-tried", why: "" } as const)
          : await proveSourcing(watched, link, number, {
              servers,
              credentials: textOf(link, files),
            });
      const wasCut = watched.up !== undefined && !isLasting(watched);
      if (wasCut) delete watched.up;
      const said = reasonsFor(watched, laid);
      if (sourcing.is === "failed") {
        const ofTheStream = said.filter((reason) => /exceeded|violation|stalled/i.test(reason));
        sourcing.what = [sourcing.what, ...ofTheStream].join("; ");
      }
      const reasons = [
        ...(wasCut ? ["the link was up, and was cut while a stream was sourced over it"] : []),
        ...said,
        ...certificateOf(watched, files),
      ];
      const refusedAt = watched.refused.map((way) => ({
        hub: way.hub,
        reasons: reasonsFor({ ...watched, ways: [way] }, laid),
      }));
      return [watched.remote, { ...up(watched), refusedAt, reasons, sourcing }];
    }),
  );
  return new Map(shown);
}

/** The text of the file with the link's credentials. */
function textOf({ leaf, remote }: Link, { find, read }: FilesToRehearse): string | undefined {
  const path = remote.credentials === undefined ? undefined : find(leaf, remote.credentials.value);
  return path === undefined ? undefined : read(path);
}

/** Whom the certificate names, where the hub takes the user from that. */
function certificateOf({ leaf, remote, ways }: Watched, { find, read }: FilesToRehearse): string[] {
  const named = remote.tls?.certificate;
  const path = named === undefined ? undefined : find(leaf.server, named);
  if (path === undefined || !ways.some(({ hub }) => hub.listener.tls?.mapsUsers === true)) return [];
  return [`the subject of ${named} is ${readCertificate(read(path) ?? "").subject}`];
}
