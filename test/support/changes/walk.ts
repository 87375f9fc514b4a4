import assert from "node:assert/strict";
import type { RawSettings } from "../../../configs/settings";
import { concurrently } from "../concurrently";
import { Coverage } from "./coverage";
import { Applications, SiteLogin } from "./ledger";
import {
  CHANGES,
  Change,
  Declared,
  Ground,
  MODES,
  Shape,
  Step,
  changeOf,
  firstDeclared,
  nextTls,
  settingsOf,
} from "./table";

/** One fleet goes through changes, while its applications publish. */

/** What tells a site's link, and a start of its server, from the next. */
export interface Look {
  link: number;
  server: string;
}

/** A fleet that can be changed: through the providers' functions, or through the CLI. */
export interface Changeable {
  /** The folder of the files for `links: { tls: given }`. */
  readonly certificates: string;
  /** Between the messages of an application, by the time that an update takes. */
  readonly pauseMs: number;
  /** What the settings are refused with; nothing is touched. Empty when they are not. */
  refusal(raw: RawSettings): Promise<string>;
  /** Preview and update. */
  update(raw: RawSettings): Promise<void>;
  /** Errors: when anything is not proven, a finding was reported, or a preview has something to change. */
  verify(declared: Declared): Promise<void>;
  /** What a look finds while nobody publishes: while messages arrive, the account book tells only what stands. */
  findings(): Promise<string[]>;
  look(site: string): Promise<Look>;
  loginOf(site: string): Promise<SiteLogin>;
  hubLogin(): Promise<{ url: string; operator: string }>;
  /** What it reported since the last call, for the error of a change that failed. */
  reported(): string[];
  stop(): Promise<void>;
}

type Stay = Pick<Change, "linksStay" | "serversStay">;

/**
 * Deploys a fleet with this shape, and makes the changes of each group together. Without `chain` each change is made by
 * itself, and then three that lead to other shapes: the walks from all shapes together make each change of each shape.
 */
export async function walk(
  fleet: Changeable,
  ground: Ground,
  shape: Shape,
  coverage: Coverage,
  chain: readonly (readonly string[])[] = wholeChain(shape),
): Promise<void> {
  const walk = new Walk(fleet, ground, shape, coverage);
  try {
    await walk.start();
    for (const changes of chain) await walk.make(changes);
    await walk.finish();
  } catch (error) {
    // What comes of the end then says nothing more.
    await walk.end().catch(() => undefined);
    throw error;
  }
  await walk.end();
}

const wholeChain = ({ tls, mode }: Shape): string[][] =>
  [
    ...Object.keys(CHANGES),
    `TLS becomes ${nextTls(tls)}`,
    `the mode becomes ${MODES.find((other) => other !== mode) ?? mode}`,
    `TLS becomes ${tls}`,
  ].map((name) => [name]);

class Walk {
  private readonly applications: Applications;
  private declared: Declared;

  constructor(
    private readonly fleet: Changeable,
    private readonly ground: Ground,
    private readonly shape: Shape,
    private readonly coverage: Coverage,
  ) {
    this.declared = firstDeclared(ground, shape);
    this.applications = new Applications(fleet.pauseMs);
  }

  async start(): Promise<void> {
    const { fleet, shape, declared } = this;
    await this.explaining(`the first update, with TLS ${shape.tls} and ${shape.mode}`, async () => {
      await fleet.update(this.settings(declared));
      await this.follow();
      await fleet.verify(declared);
    });
  }

  /** Makes these changes together: the first update of each, then the second of those that have one. */
  async make(names: readonly string[]): Promise<void> {
    const { tls, mode } = this.declared;
    const changes = names.map(changeOf);
    const stay: Stay = {
      ...(changes.every(({ linksStay }) => linksStay) ? { linksStay: true } : {}),
      ...(changes.every(({ serversStay }) => serversStay) ? { serversStay: true } : {}),
    };
    const updates = Math.max(...changes.map(({ steps }) => steps.length));
    for (let i = 0; i < updates; i++) {
      const what = `${names.join(", ")}, from TLS ${tls} and ${mode}${updates > 1 ? ` (update ${i + 1})` : ""}`;
      await this.explaining(what, () => this.update(changes, i, stay));
    }
    for (const name of names) this.coverage.note(name, { tls, mode }, this.ground);
  }

  async finish(): Promise<void> {
    await this.explaining("at the end", async () => {
      await this.applications.stop();
      await this.applications.assertComplete();
      assert.deepEqual(await this.fleet.findings(), []);
    });
  }

  async end(): Promise<void> {
    await this.applications.stop();
    await this.fleet.stop();
  }

  /** The `i`-th update of each of these changes. */
  private async update(changes: readonly Change[], i: number, stay: Stay): Promise<void> {
    let after = this.declared;
    for (const { steps } of changes) {
      const step: Step = steps[i]?.(after, this.ground.kinds) ?? { after };
      if (step.refused !== undefined)
        assert.match(await this.fleet.refusal(this.settings(step.refused.of)), step.refused.with);
      ({ after } = step);
    }
    await this.to(after, stay);
  }

  private async to(after: Declared, { linksStay, serversStay }: Stay): Promise<void> {
    const { fleet, applications } = this;
    const staying = this.declared.sites.filter(({ name }) => after.sites.some((site) => site.name === name));
    const looks = (): Promise<Look[]> => Promise.all(staying.map(({ name }) => fleet.look(name)));
    const before = await looks();
    // The applications of a site that leaves have moved.
    await applications.leave(after.sites.map((site) => site.name));
    await fleet.update(this.settings(after));
    this.declared = after;
    await this.follow();
    await fleet.verify(after);
    for (const [i, { link, server }] of (await looks()).entries()) {
      const { name = "" } = staying[i] ?? {};
      if (linksStay === true) assert.equal(link, before[i]?.link, `the link of ${name} dropped`);
      if (serversStay === true) assert.equal(server, before[i]?.server, `${name} was restarted`);
    }
    await applications.assertComplete();
  }

  /** Has what went wrong say in which change, with all that the fleet reported of it. */
  private async explaining(what: string, work: () => Promise<void>): Promise<void> {
    this.fleet.reported();
    try {
      await work();
    } catch (error) {
      const said = [error instanceof Error ? error.message : String(error), ...this.fleet.reported()];
      throw new Error(`${what}: ${said.join("\n")}`, { cause: error });
    }
  }

  private settings = (declared: Declared): RawSettings => settingsOf(declared, this.fleet.certificates);

  private async follow(): Promise<void> {
    const logins = await Promise.all(this.declared.sites.map(({ name }) => this.fleet.loginOf(name)));
    this.applications.follow(logins, await this.fleet.hubLogin());
  }
}

export interface Titled {
  title: string;
  walk(): Promise<void>;
}

/** A test for each walk, which run so many at a time, and one that judges what they covered together. */
export function itWalks(atATime: number, walks: readonly Titled[], whole: string, judge: () => void): void {
  let started: Promise<void>[] = [];
  before(() => {
    started = concurrently(
      atATime,
      walks.map(({ walk }) => walk),
    );
  });
  after(() => Promise.allSettled(started));

  for (const [i, { title }] of walks.entries()) it(title, () => started[i]);

  it(whole, async () => {
    const ended = await Promise.allSettled(started);
    const failed = walks.filter((_, i) => ended[i]?.status === "rejected").map(({ title }) => title);
    if (failed.length > 0) throw new Error(`nothing to judge, for walks failed, see there: ${failed.join("; ")}`);
    judge();
  });
}
