import assert from "node:assert/strict";
import { join } from "node:path";
import { RawSettings } from "../../configs/settings";
import { Coverage, cellsOf } from "../support/changes/coverage";
import { giveCertificates } from "../support/changes/given-certificates";
import { SiteLogin } from "../support/changes/ledger";
import { ALL_NAMES, Declared, SHAPES, groundOf } from "../support/changes/table";
import { Changeable, Look, itWalks, walk } from "../support/changes/walk";
import { TestFleet } from "../support/fleets/fleet";
import { codesIn, examined } from "../support/fleets/watched";

// Every kind of change on every shape of fleet of processes: checked, rehearsed, brought up and proven, while applications
// publish. One fleet begins with each shape and goes through all changes; none loses or doubles a message.

const PROCESSES = groundOf("process", "process");

/** Changed through the providers' own functions. */
class ByProviders implements Changeable {
  readonly pauseMs = 100;
  private isDeployed = false;

  private constructor(
    private readonly fleet: TestFleet,
    readonly certificates: string,
  ) {}

  static async create(): Promise<ByProviders> {
    const fleet = TestFleet.declare({ rehearsal: "required" });
    const certificates = join(fleet.root, "..", "certificates");
    await giveCertificates(certificates, ALL_NAMES);
    return new ByProviders(fleet, certificates);
  }

  refusal = async (raw: RawSettings): Promise<string> => (await this.fleet.check(raw)).join("\n");

  async update(raw: RawSettings): Promise<void> {
    if (this.isDeployed) assert.equal(await this.refusal(raw), "", "the check of the fleet");
    await this.fleet.up(raw);
    this.isDeployed = true;
  }

  async verify({ sites }: Declared): Promise<void> {
    const problems = sites.flatMap(({ name }) => this.fleet.problemsOf(name));
    assert.deepEqual(problems, [], "the update");
    await this.fleet.prove();
    const findings = this.fleet.reports.filter((line) => /\[[a-z-]+\]$/m.test(line));
    assert.deepEqual(findings, [], "the findings");
    assert.deepEqual((await this.fleet.preview()).changes, [], "a preview afterwards");
  }

  findings = async (): Promise<string[]> => codesIn(await examined(this.fleet));

  async look(site: string): Promise<Look> {
    const { fleet } = this;
    const [[link], { server_id: server }] = await Promise.all([fleet.links(site), fleet.status(fleet.site(site))]);
    return { link: link?.id ?? 0, server };
  }

  loginOf(name: string): Promise<SiteLogin> {
    const { url, seeds } = this.fleet.site(name);
    return Promise.resolve({ name, url, application: seeds.application, operator: seeds.operator });
  }

  hubLogin(): Promise<{ url: string; operator: string }> {
    const { url, seeds } = this.fleet.hub;
    return Promise.resolve({ url, operator: seeds.operator });
  }

  reported = (): string[] => this.fleet.reports.splice(0);

  stop = (): Promise<void> => this.fleet.stop();
}

/** Fleets that go through their changes at a time. */
const AT_A_TIME = 3;

describe("every change on every shape of fleet, of processes", function () {
  // A fleet goes through some twelve updates, side by side with others.
  this.timeout("10m");
  const coverage = new Coverage(cellsOf(PROCESSES));
  const walks = SHAPES.map((shape) => ({
    title: `works from TLS ${shape.tls} and ${shape.mode}, and loses and doubles nothing`,
    walk: async () => walk(await ByProviders.create(), PROCESSES, shape, coverage),
  }));

  itWalks(AT_A_TIME, walks, "is the whole table", () => {
    console.log(coverage.text);
    assert.deepEqual(coverage.missing, []);
  });
});
