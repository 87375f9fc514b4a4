import assert from "node:assert/strict";
import type { RawSettings } from "../../configs/settings";
import { serverInfo } from "../../servers/nats/connection";
import { Coverage, cellsOf } from "../support/changes/coverage";
import { giveCertificates } from "../support/changes/given-certificates";
import type { SiteLogin } from "../support/changes/ledger";
import {
  ALL_NAMES,
  type Declared,
  type Ground,
  type Mode,
  SHAPES,
  type Shape,
  type Tls,
  groundOf,
  nextTls,
} from "../support/changes/table";
import { type Changeable, type Look, type Titled, itWalks, walk } from "../support/changes/walk";
import { Stack } from "../support/stacks/cli";
import { linkIds } from "../support/stacks/traffic";
import { Containers, missingEngine } from "../support/stacks/grounds";

// Every kind of change on fleets with containers, by the real CLI: previewed, rehearsed, brought up and proven, while
// applications publish, and followed by a clean preview; no message is lost or doubled. Each change alone on each shape of
// fleet takes half an hour: `CHANGES=all`. Without it each fleet makes each change once, several in one update.

const missing = missingEngine();
const IS_WHOLE = process.env.CHANGES === "all";

interface Fleet extends Ground {
  title: string;
  stack: string;
}

const FLEETS: Fleet[] = [
  { title: "hub and sites in containers", stack: "boxed", ...groundOf("docker", "docker") },
  { title: "a hub in a container, sites as processes", stack: "boxed-hub", ...groundOf("docker", "process") },
  { title: "a hub as a process, sites in containers", stack: "boxed-sites", ...groundOf("process", "docker") },
];

/** Changed through the CLI. */
class ByCli implements Changeable {
  readonly pauseMs = 400;
  private readonly output: string[] = [];

  private constructor(
    private readonly ground: Containers,
    private readonly stack: Stack,
    readonly certificates: string,
  ) {}

  static async create(ground: Containers, name: string): Promise<ByCli> {
    const stack = await Stack.create(name, {}, ground.options);
    const certificates = `${stack.folder}/given`;
    await giveCertificates(certificates, ALL_NAMES);
    return new ByCli(ground, stack, certificates);
  }

  async refusal(raw: RawSettings): Promise<string> {
    this.configure(raw);
    const { code, output } = await this.stack.run(["preview"]);
    return code === 0 ? "" : output;
  }

  async update(raw: RawSettings): Promise<void> {
    this.configure(raw);
    // With its preview, which is to succeed before anything is touched.
    const { output } = await this.stack.succeeds("up", "--yes");
    this.output.push(output);
    // New sites have keys and ports, which all that follows asks for.
    await this.stack.outputs({ again: true });
  }

  async verify({ sites, streams }: Declared): Promise<void> {
    assert.doesNotMatch(this.output.join("\n"), / \[[a-z]+(-[a-z]+)+\]$/m, "the findings");
    const { proof } = await this.stack.outputs();
    assert.deepEqual(
      proof.map(({ site, link, status }) => `${site}: link ${link}, ${status}`),
      sites.flatMap(({ name }) => streams.map(() => `${name}: link up, proven`)),
      `the proof: ${JSON.stringify(proof)}`,
    );
    await this.stack.isClean();
  }

  async findings(): Promise<string[]> {
    const { code, output } = await this.stack.makeWith("doctor", { ARGS: "--json" });
    return code === 0 ? [] : [output];
  }

  async look(site: string): Promise<Look> {
    const { sites } = await this.stack.outputs();
    const { [site]: link = 0 } = await linkIds(this.stack);
    const { server_id: server = "" } = (await serverInfo(sites[site]?.client ?? "")) ?? {};
    return { link, server };
  }

  async loginOf(name: string): Promise<SiteLogin> {
    const { sites, seeds } = await this.stack.outputs();
    const { application = "", operator = "" } = seeds[name] ?? {};
    return { name, url: sites[name]?.client ?? "", application, operator };
  }

  async hubLogin(): Promise<{ url: string; operator: string }> {
    const { hub, seeds } = await this.stack.outputs();
    return { url: hub.client, operator: seeds.hub?.operator ?? "" };
  }

  /** What the program said; what Pulumi tells of resources and outputs would hide it. */
  reported = (): string[] =>
    this.output.splice(0).map((output) =>
      output
        .split(/^Diagnostics:\n/m)
        .slice(1)
        .map(beforeOutputs)
        .join("\n"),
    );

  async stop(): Promise<void> {
    await this.stack.remove();
    await this.ground.hasLeft(this.stack, "");
  }

  private configure = (raw: RawSettings): void => this.stack.configure({ rehearsal: "required", ...raw });
}

const beforeOutputs = (diagnostics: string): string => diagnostics.split(/^(?:Outputs|Resources):/m)[0] ?? "";

/** Kinds of changes that are made together. A rename takes two updates. */
const COMING = ["a site is added", "a stream is added", "limits are raised"];
const OTHER = ["a site is renamed", "a link key is rotated", "subjects change"];
const LEAVING = ["a site is removed", "limits are lowered", "a stream is removed"];

/** What one fleet does in the suite: in this order, each in a mode. "TLS": it becomes the next one. */
interface Plan {
  tls: Tls;
  groups: { kinds: readonly string[]; mode: Mode }[];
}

const group = (mode: Mode, ...kinds: string[]): Plan["groups"][number] => ({ kinds, mode });

/** With all of them every change meets every TLS and both modes. */
const changesFirst = (tls: Tls): Plan => ({
  tls,
  groups: [
    group("perSite", ...COMING),
    group("perSite", "TLS"),
    group("merged", ...OTHER, "TLS"),
    group("merged", ...LEAVING),
    group("perSite", "TLS"),
  ],
});
const tlsFirst = (tls: Tls): Plan => ({
  tls,
  groups: [
    group("perSite", "TLS"),
    group("merged", ...COMING),
    group("merged", "TLS"),
    group("perSite", ...OTHER, "TLS"),
    group("perSite", ...LEAVING),
  ],
});
const PLANS = [changesFirst("off"), tlsFirst("generated"), changesFirst("generated")];

/** A mode changes beside the group before. */
function chainOf({ tls, groups }: Plan): string[][] {
  let now = tls;
  return groups.map(({ kinds, mode }, i) => {
    const named = kinds.map((kind) => (kind === "TLS" ? `TLS becomes ${(now = nextTls(now))}` : kind));
    const { mode: then } = groups[i + 1] ?? { mode };
    return then === mode ? named : [...named, `the mode becomes ${then}`];
  });
}

/** Fleets that go through their changes at a time. */
const AT_A_TIME = 3;

(missing === undefined ? describe : describe.skip)(
  `every change on fleets with containers${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  function () {
    this.timeout(IS_WHOLE ? "90m" : "10m");
    let ground: Containers;
    before(async () => {
      ground = await Containers.start();
    });
    const coverage = new Coverage(FLEETS.flatMap(cellsOf));

    const walkOf = (fleet: Fleet, shape: Shape, chain?: string[][]): Titled => ({
      title: `works with ${fleet.title}, from TLS ${shape.tls} and ${shape.mode}, and loses and doubles nothing`,
      walk: async () => {
        const stack = await ByCli.create(ground, `${fleet.stack}-${shape.tls}-${shape.mode.toLowerCase()}`);
        await walk(stack, fleet, shape, coverage, chain);
      },
    });
    const walks = IS_WHOLE
      ? FLEETS.flatMap((fleet) => SHAPES.map((shape) => walkOf(fleet, shape)))
      : PLANS.flatMap((plan, i) =>
          FLEETS.slice(i, i + 1).map((fleet) => walkOf(fleet, { tls: plan.tls, mode: "perSite" }, chainOf(plan))),
        );

    itWalks(AT_A_TIME, walks, IS_WHOLE ? "is the whole table" : "has each pair of properties once", () => {
      console.log(coverage.text);
      assert.deepEqual(IS_WHOLE ? coverage.missing : coverage.missingPairs, []);
    });

    after(() => ground.stop());
  },
);
