import assert from "node:assert/strict";
import { parse } from "../../configs/format/parse";
import { render } from "../../configs/format/render";
import { diagnose } from "../../diagnosis/diagnose";
import { shared } from "../../servers/nats/connection";
import { reload } from "../../servers/nats/system";
import { observeSettled } from "../../fleet/observation/observe";
import { AnyConfig } from "../support/catalogue/mistakes";
import { TestFleet, TestServer } from "../support/fleets/fleet";
import { configOf, editConfig } from "../support/fleets/servers";
import { observedAt } from "../support/fleets/watched";

/** A configuration that somebody edited, and had the running server read: named by preview and doctor, put back by `up`. */
describe("a configuration that was edited by hand", function () {
  this.timeout(120_000);

  interface Edit {
    at: "hub" | "oslo";
    change(config: AnyConfig): void;
    /** What is said of it. */
    says: RegExp;
  }

  type Account = Record<string, unknown>;
  const accountOf = ({ accounts }: AnyConfig, name: string) => accounts[name] as unknown as Account;
  const userOf = (config: AnyConfig, name: string) => config.accounts[name]!.users[0]!;

  const EDITS: Record<string, Edit> = {
    "a limit of an account on the hub": {
      at: "hub",
      change: ({ accounts }) => (accounts.OSLO!.jetstream!.max_file += 1),
      says: /accounts\.OSLO\.jetstream\.max_file is \d+, this program wrote \d+/,
    },
    "a mapping of an account on the hub": {
      at: "hub",
      change: (config) => (accountOf(config, "OSLO").mappings = { "events.a": "events.b" }),
      says: /accounts\.OSLO\.mappings is \{events\.a:events\.b\}, this program wrote none/,
    },
    "an export of an account on the hub": {
      at: "hub",
      change: (config) => (accountOf(config, "OSLO").exports = [{ service: "all.>" }]),
      says: /accounts\.OSLO\.exports is \[\{service:all\.>\}\], this program wrote none/,
    },
    "more rights of a link": {
      at: "hub",
      change: (config) => userOf(config, "OSLO").permissions!.publish!.allow!.push(">"),
      says: /accounts\.OSLO\.users of U\w+\.permissions\.publish\.allow also has >/,
    },
    "a user with a password at the site": {
      at: "oslo",
      change: ({ accounts }) => accounts.OSLO!.users.push({ user: "guest", password: "hunter2" } as never),
      says: /accounts\.OSLO\.users also has \{user:guest,password:\(hidden\)\}/,
    },
    "fewer rights of the applications": {
      at: "oslo",
      change: (config) => userOf(config, "OSLO").permissions!.publish!.deny!.push("events.>"),
      says: /accounts\.OSLO\.users of U\w+\.permissions\.publish\.deny also has events\.>/,
    },
  };

  /** Links that a foreign configuration had are dropped, and sources look for their sites: those are other findings. */
  const findings = async (fleet: TestFleet) =>
    diagnose(await observeSettled({ ...observedAt(fleet, "oslo"), comparesConfigs: true }, 5_000))
      .filter(({ code }) => code === "config-altered")
      .map(({ code, evidence }) => `${code}: ${evidence}`);
  const serverOf = (fleet: TestFleet, at: Edit["at"]): TestServer => (at === "hub" ? fleet.hub : fleet.site("oslo"));

  it("is named with every difference, seeds and passwords hidden, and is put back", async () => {
    await using fleet = await TestFleet.deploy({ sites: [{ name: "oslo" }] });
    assert.deepEqual(await findings(fleet), []);
    for (const [what, { at, change, says }] of Object.entries(EDITS)) {
      const server = serverOf(fleet, at);
      const before = configOf(server.folder);
      editConfig(server.folder, (text) => {
        const config = parse(text) as unknown as AnyConfig;
        change(config);
        return render(config);
      });
      assert.match((await findings(fleet)).join(), /^config-altered: .*the server has not read it yet/, what);
      await reload(await shared({ url: server.url, seed: fleet.hub.seeds.system }));
      const [found = "", ...more] = await findings(fleet);
      assert.match(found, new RegExp(`^config-altered: ${at}: .*${says.source}$`), what);
      assert.deepEqual(more, [], what);
      const { reports } = await fleet.preview();
      assert.match(reports.join("\n"), new RegExp(`changed by hand \\(.*${says.source}\\); up repairs it`), what);
      for (const secret of [...fleet.seeds, "hunter2"]) assert.ok(!`${found}${reports.join()}`.includes(secret));
      await fleet.up();
      assert.equal(configOf(server.folder), before);
      assert.deepEqual(await findings(fleet), [], what);
      assert.deepEqual((await fleet.preview()).changes, [], what);
    }
  });

  it("is found by its digest when the file was put back and the server still runs the edit", async () => {
    await using fleet = await TestFleet.deploy({ sites: [{ name: "oslo" }] });
    const server = fleet.site("oslo");
    const before = configOf(server.folder);
    editConfig(server.folder, (text) => text.replace(/max_file: \d+/, "max_file: 100000000"));
    await reload(await shared({ url: server.url, seed: fleet.hub.seeds.system }));
    editConfig(server.folder, () => before);
    assert.deepEqual(await findings(fleet), [
      "config-altered: oslo: the server does not run the configuration in its file",
    ]);
    await fleet.up();
    assert.deepEqual(await findings(fleet), []);
  });
});
