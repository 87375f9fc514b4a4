import { createUser } from "@nats-io/nkeys";
import { NatsConnection, Subscription } from "nats";
import { ATTACK_TIMEOUT_MS, CONTROL_TIMEOUT_MS, answers, leafPortKeeps } from "../../servers/nats/attempts";
import { Access, isAuthorizationError, open } from "../../servers/nats/connection";
import { Breach } from "../../diagnosis/facts/facts";
import { RUN_HEADER, SITE_HEADER } from "./probe-message";

/**
 * Proves isolation by attack. Every attack has a control that shows that it would have worked: a refusal by a server
 * that is not there proves nothing. Attacks only read, log in, or listen.
 */

export interface Target {
  site: string;
  /** The site's client URL. */
  url: string;
  /** The client URL of each server of the hub. */
  hubUrls: readonly string[];
  hubDomain: string;
  seeds: { application: string; operator: string; link: string };
  /** The site's own streams, for the control. */
  streams: readonly string[];
}

/** Whether the server lets this login in. */
async function letsIn(access: Access): Promise<boolean> {
  try {
    await (await open(access)).close();
    return true;
  } catch (error) {
    if (isAuthorizationError(error)) return false;
    throw error;
  }
}

const randomSeed = (): string => new TextDecoder().decode(createUser().getSeed());

/** Attacks on the hub's leafnode port. */
export async function attackLeafPort(site: string, leafUrl: string): Promise<Breach[]> {
  const breaches: Breach[] = [];
  const next = "remove no_auth_user from the hub, and give every account its users (run 'pulumi up')";
  for (const [attack, seed] of [
    ["a leaf with an unknown key", randomSeed()],
    ["a leaf with no key", undefined],
  ] as const) {
    if (await leafPortKeeps(leafUrl, seed)) breaches.push({ site, attack, evidence: `${leafUrl} kept the link`, next });
  }
  return breaches;
}

/** What `attacker` can reach of `victim` and of the hub. */
export async function attackFrom(attacker: Target, victim: Target | undefined): Promise<Breach[]> {
  const { site, url, hubUrls, hubDomain, seeds } = attacker;
  const breaches: Breach[] = [];
  const domains = [hubDomain, ...(victim === undefined ? [] : [victim.site])];
  const breach = (attack: string, evidence: string, next: string) => breaches.push({ site, attack, evidence, next });
  const permissions = `restore the permissions of site ${site}'s link key on the hub (run 'pulumi up')`;
  const users = "restore the server's accounts, and remove no_auth_user (run 'pulumi up')";

  const application = await open({ url, seed: seeds.application });
  try {
    for (const stream of attacker.streams) {
      if (!(await answers(application, `$JS.API.STREAM.INFO.${stream}`, CONTROL_TIMEOUT_MS))) {
        breach(
          "control of the attacks",
          `the site's application cannot read its own stream ${stream}, so its attacks prove nothing`,
          users,
        );
      }
    }
    // A site with another's domain answers itself; the finding of the domain names it.
    const account = await application.request("$JS.API.INFO", "", { timeout: CONTROL_TIMEOUT_MS });
    const own = account.json<{ domain?: string }>().domain;
    for (const domain of domains.filter((name) => name !== own)) {
      const subject = `$JS.${domain}.API.STREAM.NAMES`;
      if (await answers(application, subject, ATTACK_TIMEOUT_MS))
        breach(`JetStream of '${domain}' from the site's application`, `${subject} was answered`, permissions);
    }
  } finally {
    await application.close();
  }

  const other = victim === undefined ? undefined : `$JS.${victim.site}.API.STREAM.NAMES`;
  for (const hubUrl of other === undefined ? [] : hubUrls) {
    const operator = await open({ url: hubUrl, seed: seeds.operator });
    try {
      if (other === undefined || !(await answers(operator, other, ATTACK_TIMEOUT_MS))) continue;
      breach(
        `JetStream of site '${victim?.site ?? ""}' from the account on the hub`,
        `${other} was answered`,
        "give each site an account of its own (run 'pulumi up')",
      );
    } finally {
      await operator.close();
    }
  }

  const logins: [string, Access][] = [
    ["an unknown key at the site's client port", { url, seed: randomSeed() }],
    ...hubUrls.flatMap((hubUrl): [string, Access][] => [
      ["an unknown key at the hub's client port", { url: hubUrl, seed: randomSeed() }],
      ["the link key at the hub's client port", { url: hubUrl, seed: seeds.link }],
    ]),
  ];
  for (const [attack, access] of logins) {
    if (await letsIn(access)) breach(attack, `${access.url} let it in`, users);
  }
  return breaches;
}

/** Listens to everything at a site, as its application, while all sites send probes. */
export class Eavesdropper {
  private readonly heard = new Set<string>();

  private constructor(
    private readonly site: string,
    private readonly connection: NatsConnection,
    readonly subscription: Subscription,
  ) {}

  static async listen(site: string, access: Access, runId: string): Promise<Eavesdropper> {
    const connection = await open(access);
    const subscription = connection.subscribe(">");
    const listener = new Eavesdropper(site, connection, subscription);
    void (async () => {
      for await (const message of subscription) {
        if (message.headers?.get(RUN_HEADER) === runId) listener.heard.add(message.headers.get(SITE_HEADER));
      }
    })();
    await connection.flush();
    return listener;
  }

  /** Stops listening. `sent`: whether the site itself sent probes, which it must have heard: the control. */
  async stop(sent: boolean): Promise<Breach[]> {
    await this.connection.flush().catch(() => undefined);
    await this.connection.close();
    const others = [...this.heard].filter((name) => name !== this.site);
    const attack = "listening to all subjects at the site";
    const next = "give each site an account of its own (run 'pulumi up')";
    const breaches = others.map((name): Breach => ({
      site: this.site,
      attack,
      evidence: `it heard messages of site ${name}`,
      next,
    }));
    if (sent && !this.heard.has(this.site)) {
      breaches.push({
        site: this.site,
        attack: "control of the listening",
        evidence: "the site did not even receive its own probes",
        next: "run 'pulumi up' again",
      });
    }
    return breaches;
  }
}
