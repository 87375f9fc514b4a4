import assert from "node:assert/strict";
import { join } from "node:path";
import { giveCertificates } from "../support/changes/given-certificates";
import { Applications } from "../support/changes/ledger";
import {
  ALL_NAMES,
  CHANGES,
  type Change,
  Coverage,
  DEPARTURES,
  type Declared,
  MODES,
  REACHES,
  SHAPES,
  type Shape,
  type SiteKind,
  TLS,
  cellsOf,
  firstDeclared,
  settingsOf,
  sitesOf,
} from "../support/changes/table";
import { concurrently } from "../support/concurrently";
import { TestFleet } from "../support/fleet";

// Every kind of change on every shape of fleet of processes: checked, rehearsed, brought up and proven, while applications
// publish. One fleet begins with each shape and goes through all changes; none loses or doubles a message.

const KINDS: SiteKind[] = REACHES.map((reach) => ({ runtime: "process", reach }));

type Stay = Pick<Change, "linksStay" | "serversStay">;

class Walk {
  private constructor(
    private readonly fleet: TestFleet,
    private declared: Declared,
    private readonly certificates: string,
    private readonly coverage: Coverage,
    readonly applications = new Applications(),
  ) {}

  static async start(shape: Shape, coverage: Coverage): Promise<Walk> {
    const declared = firstDeclared("process", sitesOf("kept", KINDS), shape);
    const fleet = TestFleet.declare({ rehearsal: "required" });
    const certificates = join(fleet.root, "..", "certificates");
    const walk = new Walk(fleet, declared, certificates, coverage);
    await giveCertificates(certificates, ALL_NAMES);
    await fleet.up(settingsOf(declared, certificates));
    await fleet.prove();
    walk.follow();
    return walk;
  }

  /** All changes that keep the shape, then three to others: all fleets together make each change of each shape once. */
  async through(): Promise<void> {
    for (const [name, change] of Object.entries(CHANGES)) {
      const { steps } = change;
      for (const { after, refused } of steps(this.declared, KINDS)) {
        if (refused !== undefined) {
          const refusals = await this.fleet.check(settingsOf(refused.of, this.certificates));
          assert.match(refusals.join("\n"), refused.with, name);
        }
        await this.to(name, after, change);
      }
    }
    const { tls, mode } = this.declared;
    await this.to(...this.departure(`TLS becomes ${TLS[(TLS.indexOf(tls) + 1) % TLS.length] ?? tls}`));
    await this.to(...this.departure(`the mode becomes ${MODES.find((one) => one !== mode) ?? mode}`));
    await this.to(...this.departure(`TLS becomes ${tls}`));
  }

  private departure(name: string): [name: string, after: Declared] {
    return [name, { ...this.declared, ...DEPARTURES[name]?.(this.declared) }];
  }

  private async to(name: string, after: Declared, stay: Stay = {}): Promise<void> {
    const { fleet, declared: before } = this;
    fleet.reports.length = 0;
    try {
      await this.change(after, stay);
    } catch (error) {
      const said = [String(error), ...fleet.reports].join("\n");
      throw new Error(`${name}, from TLS ${before.tls} and ${before.mode}: ${said}`, { cause: error });
    }
    this.coverage.note(name, before, KINDS);
  }

  private async change(after: Declared, { linksStay, serversStay }: Stay): Promise<void> {
    const { fleet, applications } = this;
    const raw = settingsOf(after, this.certificates);
    const before = await this.look();
    // The applications of a site that leaves have moved.
    await applications.leave(after.sites.map((site) => site.name));
    assert.deepEqual(await fleet.check(raw), [], "the check of the fleet");
    await fleet.up(raw);
    const problems = after.sites.flatMap((site) => fleet.problemsOf(site.name));
    assert.deepEqual(problems, [], "the update");
    this.declared = after;
    this.follow();
    await fleet.prove();
    const findings = fleet.reports.filter((line) => /\[[a-z-]+\]$/m.test(line));
    assert.deepEqual(findings, [], "the findings");
    assert.deepEqual((await fleet.preview()).changes, [], "a preview afterwards");
    const now = await this.look();
    for (const [site, { link, server }] of Object.entries(before)) {
      const { [site]: found } = now;
      if (found === undefined) continue;
      if (linksStay === true) assert.equal(found.link, link, `the link of ${site} dropped`);
      if (serversStay === true) assert.equal(found.server, server, `${site} was restarted`);
    }
    await applications.assertComplete();
  }

  private follow(): void {
    const { hub } = this.fleet;
    const logins = this.declared.sites.map(({ name }) => {
      const { url, seeds } = this.fleet.site(name);
      return { name, url, application: seeds.application, operator: seeds.operator };
    });
    this.applications.follow(logins, { url: hub.url, operator: hub.seeds.operator });
  }

  /** What tells a site's link, and a start of its server, from the next. */
  private async look(): Promise<Record<string, { link: number; server: string }>> {
    const { fleet } = this;
    const looks = this.declared.sites.map(async ({ name }) => {
      const [[link], { server_id: server }] = await Promise.all([fleet.links(name), fleet.status(fleet.site(name))]);
      return [name, { link: link?.id ?? 0, server }] as const;
    });
    return Object.fromEntries(await Promise.all(looks));
  }

  async end(): Promise<void> {
    await this.applications.stop();
    await this.fleet.stop();
  }
}

/** Fleets that go through their changes at a time. */
const AT_A_TIME = 3;

describe("every change on every shape of fleet, of processes", function () {
  // A fleet goes through some twelve updates, side by side with others.
  this.timeout("10m");
  const coverage = new Coverage(cellsOf("process", KINDS));
  let walks: Promise<void>[] = [];
  before(() => {
    walks = concurrently(
      AT_A_TIME,
      SHAPES.map((shape) => async () => {
        const walk = await Walk.start(shape, coverage);
        try {
          await walk.through();
        } finally {
          await walk.end();
        }
      }),
    );
  });

  for (const [i, { tls, mode }] of SHAPES.entries())
    it(`works from TLS ${tls} and ${mode}, and loses and doubles nothing`, () => walks[i]);

  it("is the whole table", () => {
    console.log(coverage.text);
    assert.deepEqual(coverage.missing, []);
  });
});
