import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "../../configs/format/parse";
import { render } from "../../configs/format/render";
import { AccountConfig, LeafRemotes, ServerConfig, UserConfig } from "../../configs/server-config";
import { RawSettings } from "../../configs/settings";
import type { ConfigFinding } from "../../diagnosis/files/finding";
import { serverFiles } from "../../machine/folders";
import { checkConfigs } from "../../commands/check-config";
import { concurrently } from "../support/concurrently";
import { codesOf, findingsOf, refuseSeeds } from "../support/rules/findings";
import { TestFleet } from "../support/fleets/fleet";
import { Edits, LEAF, SEED, edited } from "../support/fleets/hand-written";
import { editConfig, whileStopped } from "../support/fleets/servers";
import { newSeed } from "../support/rules/settings";
import { until } from "../support/until";

/**
 * What is said of files before any server has read them, beside what happens on real servers with the same files. The
 * smoke test is the judge: where it finds the mistake, the files were rightly refused.
 */

interface Mistake {
  it: string;
  settings?: RawSettings;
  /** Changes the files; the servers run on with what they have read before. */
  make(fleet: TestFleet): void;
  /** All errors that are said of the files. */
  says: string[];
  /** All that the smoke test finds. */
  happens: string[];
  /** Whether the link comes up in spite of it, and has to be there before anything is proved by it. */
  links: boolean;
}

const change = (folder: string, edit: (config: ServerConfig) => void): void =>
  editConfig(folder, (text) => {
    const config = parse(text) as unknown as ServerConfig;
    edit(config);
    return render(config);
  });

const remoteOf = ({ leafnodes }: ServerConfig) => (leafnodes as LeafRemotes).remotes[0]!;
const isLink = (user: UserConfig): boolean => user.allowed_connection_types?.includes("LEAFNODE") === true;
const linkUser = (config: ServerConfig): UserConfig => config.accounts.OSLO!.users.find(isLink)!;
const site = (fleet: TestFleet): string => fleet.site("oslo").folder;

const MERGED: RawSettings = {
  streams: [
    { name: "EVENTS", subjects: ["events.>"], maxBytes: "32MiB", collect: { mode: "merged", maxBytes: "32MiB" } },
  ],
};

const MISTAKES: Mistake[] = [
  {
    it: "a seed in credentials (nats-server issue 6723)",
    make: (fleet) => editConfig(site(fleet), (text) => text.replace('nkey: "SU', 'credentials: "SU')),
    says: ["seed-in-credentials"],
    happens: ["oslo: seed-in-credentials"],
    links: false,
  },
  {
    it: "a file with a bare seed in credentials",
    make: (fleet) => {
      const file = join(site(fleet), "oslo.nk");
      writeFileSync(file, `${fleet.site("oslo").seeds.link}\n`, { mode: 0o600 });
      editConfig(site(fleet), (text) => text.replace(/nkey: "SU\w+"/, `credentials: "${file}"`));
    },
    says: ["seed-file-in-credentials"],
    happens: ["oslo: seed-in-credentials"],
    links: false,
  },
  {
    it: "a key that the hub does not know",
    make: (fleet) => change(site(fleet), (config) => (remoteOf(config).nkey = newSeed())),
    says: ["unknown-key"],
    happens: ["oslo: wrong-key"],
    links: false,
  },
  {
    it: "a remote without an account",
    make: (fleet) =>
      change(site(fleet), (config) => delete (remoteOf(config) as Partial<LeafRemotes["remotes"][number]>).account),
    says: ["remote-without-account"],
    happens: ["oslo: wrong-account-at-site"],
    links: true,
  },
  {
    it: "a key in another account of the hub",
    make: (fleet) =>
      change(fleet.hub.folder, (config) => {
        const [user] = config.accounts.OSLO!.users.splice(config.accounts.OSLO!.users.indexOf(linkUser(config)), 1);
        config.accounts.HUB!.users.push(user!);
      }),
    says: ["wrong-account"],
    happens: ["oslo: wrong-account-on-hub"],
    links: true,
  },
  {
    it: "another domain than the hub asks for",
    make: (fleet) => change(site(fleet), (config) => (config.jetstream.domain = "trondheim")),
    says: ["sourcing-blocked"],
    happens: ["oslo: wrong-domain"],
    links: true,
  },
  {
    it: "the hub's own domain",
    make: (fleet) => change(site(fleet), (config) => (config.jetstream.domain = "hub")),
    says: ["equal-domains", "sourcing-blocked"],
    happens: ["oslo: equal-domains"],
    links: true,
  },
  {
    it: "flow control that the link may not carry",
    make: (fleet) =>
      change(fleet.hub.folder, (config) => {
        linkUser(config).permissions!.subscribe = { allow: ["$JS.oslo.API.CONSUMER.>"] };
      }),
    says: ["flow-control-blocked"],
    happens: ["oslo: flow-control-blocked"],
    links: true,
  },
  {
    it: "flow control that the account of the merged stream does not import",
    settings: MERGED,
    make: (fleet) =>
      change(fleet.hub.folder, ({ accounts }) => {
        const isFlowControl = (one: object): boolean => JSON.stringify(one).includes("$JS.FC.");
        const keepRest = (account: AccountConfig) => {
          account.exports = (account.exports ?? []).filter((one) => !isFlowControl(one));
          account.imports = (account.imports ?? []).filter((one) => !isFlowControl(one));
        };
        keepRest(accounts.OSLO!);
        keepRest(accounts.HUB!);
      }),
    says: ["flow-control-blocked"],
    happens: ["oslo: export-missing"],
    links: true,
  },
  {
    it: "deliveries that the link may not carry to the merged stream",
    settings: MERGED,
    make: (fleet) =>
      change(fleet.hub.folder, (config) => {
        linkUser(config).permissions!.publish = { allow: ["$JS.S.>", "$JSC.R.>", "_R_.>"] };
      }),
    says: ["sourcing-blocked"],
    happens: ["oslo: delivery-blocked"],
    links: true,
  },
];

describe("what is said of configuration files", function () {
  this.timeout(120_000);

  async function sayAndTry({ settings, make, links }: Mistake) {
    await using fleet = await TestFleet.deploy({ sites: [{ name: "oslo" }], ...settings });
    const folders = [fleet.hub.folder, site(fleet)];
    const check = async (): Promise<string[]> => {
      const report = await checkConfigs(folders.map((folder) => serverFiles(folder).config));
      refuseSeeds(fleet, JSON.stringify(report));
      // The stores of a test lie among temporary files.
      return report.findings.map(({ code }) => code).filter((code) => code !== "store-in-tmp");
    };
    const before = await check();
    make(fleet);
    const says = await check();
    for (const folder of folders) await whileStopped(folder, () => undefined);
    if (links) await until("the site is linked", async () => (await fleet.links("oslo")).length > 0);
    return { before, says: says.sort(), happens: codesOf(await findingsOf(fleet)) };
  }

  let outcomes: ReturnType<typeof sayAndTry>[] = [];
  before(() => {
    outcomes = concurrently(
      2,
      MISTAKES.map((mistake) => () => sayAndTry(mistake)),
    );
  });

  MISTAKES.forEach(({ it: what, says, happens }, index) => {
    it(`${what}: it happens`, async () => {
      assert.deepEqual(await outcomes[index], { before: [], says, happens });
    });
  });
});

describe("what nats-server says of configuration files", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-check-config-"))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function refusals(edits: Edits): Promise<ConfigFinding[]> {
    const file = join(folder, "leaf.conf");
    writeFileSync(file, edited(LEAF, edits));
    const { findings } = await checkConfigs([file]);
    return findings.filter(({ code }) => code === "server-refuses");
  }

  it("is a finding at its line", async () => {
    const [finding] = await refusals([["server_name: leaf-a", "server_name: leaf-a\nserver_nam: leaf-b"]]);
    assert.match(finding?.where ?? "", /leaf\.conf:3$/);
    assert.match(finding?.evidence ?? "", /unknown field "server_nam"/);
  });

  it("shows no seed, though nats-server does", async () => {
    const [finding] = await refusals([[SEED, SEED.slice(0, -1)]]);
    assert.match(finding?.evidence ?? "", /not a valid seed: "\(masked\)"/);
  });

  it("is nothing for a file that it takes", async () => {
    assert.deepEqual(await refusals([["leaf-a", "leaf-b"]]), []);
  });
});
