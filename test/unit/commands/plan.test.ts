import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { stackSettings } from "../../../components/stack-settings";
import { FleetPlan } from "../../../configs/plan/fleet-plan";
import { isOfPassphrase } from "../../../commands/stack/passphrase";
import { plan, planStack } from "../../../commands/plan";
import { newSeed } from "../../support/rules/settings";
import { inTempFolder, withEnvironment } from "../providers/temp-folder";
import { DEV, MIXED, MIXED_STACK } from "./plan.golden";

const ROOT = path.resolve(__dirname, "../../..");

describe("the plan of a stack", () => {
  const temp = inTempFolder();
  beforeEach(() => fs.copyFileSync(path.join(ROOT, "Pulumi.yaml"), temp.path("Pulumi.yaml")));

  const write = (text: string): void => fs.writeFileSync(temp.path("Pulumi.lab.yaml"), text);
  /** The given settings, in YAML's JSON form. */
  const writeConfig = (settings: Record<string, unknown>, rest: Record<string, unknown> = {}): void => {
    const config = Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [`nats-hub-leaf:${name}`, value]),
    );
    write(JSON.stringify({ config, ...rest }));
  };
  const planned = (): FleetPlan => planStack(temp.path(), "lab");
  function refusal(stack = "lab"): string {
    try {
      plan(temp.path(), stack);
    } catch (error) {
      assert.equal((error as Error).name, "Refusal", String(error));
      return (error as Error).message;
    }
    throw new Error("the plan was not refused");
  }

  /** The command as `make plan` starts it, where there is no program to be found and nothing of Pulumi's. */
  const command = (stack: string) =>
    spawnSync(process.execPath, ["commands/bin.js", "plan", "--stack", stack], {
      cwd: ROOT,
      env: { PATH: "", HOME: temp.path() },
      encoding: "utf8",
    });

  it("needs neither programs nor a home: it is the committed stack's, word for word", () => {
    const { stdout, stderr, status } = command("dev");
    assert.deepEqual([stderr, status], ["", 0]);
    assert.equal(stdout, DEV);
    assert.equal(fs.existsSync(temp.path(".pulumi")), false);
  });

  for (const stack of ["dev", "staging", "prod"]) {
    it(`is there for ${stack} as it is committed, with nothing to find fault with`, () => {
      const { sites, notes } = planStack(ROOT, stack);
      assert.deepEqual([sites.map(({ name }) => name), notes], [["oslo", "bergen"], []]);
    });
  }

  it("ends with 1 when it is refused, and prints no plan", () => {
    const { stdout, stderr, status } = command("no-such-stack");
    assert.deepEqual([stdout, status], ["", 1]);
    assert.match(stderr, /^Pulumi\.no-such-stack\.yaml: there is no such file; [^\n]*: .*dev.*\n$/);
  });

  it("shows servers of all kinds, word for word", () => {
    fs.writeFileSync(temp.path("Pulumi.mixed.yaml"), MIXED_STACK);
    assert.equal(`${plan(temp.path(), "mixed")}\n`, MIXED);
  });

  it("notes an image that is newer than those that the program was tested with", () => {
    writeConfig({ runtime: "docker", sites: [{ name: "oslo" }], docker: { image: "nats:2.16.1-alpine" } });
    assert.match(
      planned().notes.join("\n"),
      /^docker\.image: nats:2\.16\.1-alpine is of nats-server 2\.16\.1, newer than 2\.15/,
    );
  });

  it("is a typed value with --json, the same each time", () => {
    writeConfig({ sites: [{ name: "oslo" }] });
    const [json, again] = [plan(temp.path(), "lab", { json: true }), plan(temp.path(), "lab", { json: true })];
    assert.equal(json, again);
    assert.deepEqual(JSON.parse(json), planned());
  });

  describe("of a stack with a table of sites", () => {
    beforeEach(() => {
      fs.mkdirSync(temp.path("fleet"));
      writeConfig({ sitesFile: "fleet/sites.csv" });
    });
    const writeTable = (text: string): void => fs.writeFileSync(temp.path("fleet/sites.csv"), text);

    it("has the sites of the file, whose path begins at the project's folder", () => {
      writeTable("name,rotation\noslo,3\nbergen,\n");
      assert.deepEqual(
        planned().sites.map(({ name, link }) => [name, link.rotation]),
        [
          ["oslo", 3],
          ["bergen", 0],
        ],
      );
    });

    it("says the mistakes of file and stack config at once, each where it stands", () => {
      writeTable("name,rotation\noslo,3\noslo,x\n");
      writeConfig({ sitesFile: "fleet/sites.csv", site: [] });
      const message = refusal();
      assert.match(message, /^the settings have 3 problems:\n {2}- site: is not a setting/);
      assert.match(message, /- fleet\/sites\.csv line 3, column rotation: is string/);
      assert.match(message, /- fleet\/sites\.csv line 3, column name: 'oslo' is used twice/);
    });

    it("is refused when there is no such file", () => {
      assert.match(refusal(), /- sitesFile: there is no file 'fleet\/sites\.csv'; give its path from the folder of /);
    });
  });

  describe("of a stack with mistakes", () => {
    withEnvironment(() => ({ PULUMI_CONFIG_PASSPHRASE: "a good one", PULUMI_CONFIG_PASSPHRASE_FILE: undefined }));
    afterEach(() => pulumi.runtime.setAllConfig({}));

    it("says all at once, in the program's own words", () => {
      const wrong = {
        site: [],
        sites: [{ name: "oslo", quotta: "1GiB" }, { name: "bergen" }, { name: "bergen" }],
      };
      writeConfig(wrong);
      const message = refusal();
      assert.match(message, /^the settings have 3 problems:\n/);
      assert.match(
        message,
        /- site: is not a setting.*\n.*- sites\[0\]: 'quotta'.*\n.*- sites\[2\]\.name: 'bergen' is/,
      );

      pulumi.runtime.setAllConfig(
        Object.fromEntries(
          Object.entries(wrong).map(([name, value]) => [`nats-hub-leaf:${name}`, JSON.stringify(value)]),
        ),
      );
      assert.throws(
        () => stackSettings(new pulumi.Config("nats-hub-leaf")),
        (error: Error) => error.message === message,
      );
    });

    it("judges the owner and the role of an encrypted seed, never its text", () => {
      const secure = { secure: "v1:AAAA:SUAAAAAAAAAAAAAAAAAAAAAAAAAA" };
      writeConfig({
        sites: [{ name: "oslo" }],
        keys: { oslo: { link: secure, reader: secure }, narvik: { link: secure } },
      });
      const message = refusal();
      assert.match(message, /^the settings have 1 problem:\n {2}- keys\.narvik: names neither a site nor the hub/);
      assert.equal(message.includes("AAAA"), false);
    });

    it("says what is encrypted and has to be known", () => {
      writeConfig({ sites: [{ name: { secure: "v1:A" } }], hub: { secure: "v1:B" } });
      assert.match(
        refusal(),
        /^the settings have 2 problems:\n {2}- hub: is encrypted, .*\n {2}- sites\[0\]\.name: is encrypted, .*$/,
      );
    });

    it("refuses an empty passphrase where the program does: its salt is known", () => {
      const { encryptionsalt } = /^(?<key>encryptionsalt): (?<encryptionsalt>.*)$/m.exec(
        fs.readFileSync(path.join(ROOT, "Pulumi.dev.yaml"), "utf8"),
      )!.groups!;
      writeConfig({ hub: { host: "192.0.2.1" } }, { encryptionsalt });
      assert.match(refusal(), /hub\.host: 192\.0\.2\.1 is not a loopback address, .*empty passphrase/);
    });
  });

  it("assumes that an unknown passphrase is not empty, and says so", () => {
    writeConfig({ hub: { host: "192.0.2.1" } });
    assert.match(plan(temp.path(), "lab"), /secrets +how they are encrypted is not known here: checked as if/);
    writeConfig({ hub: { host: "192.0.2.1" } }, { secretsprovider: "awskms://alias/x", encryptedkey: "AAAA" });
    assert.equal(planned().passphrase, "keyService");
    writeConfig({ hub: { host: "192.0.2.1" }, state: "https://api.pulumi.com" });
    assert.equal(planned().passphrase, "keyService");
    assert.equal(isOfPassphrase("v2:something", ""), undefined);
  });

  it("shows no encrypted or plain seed, and says which stand in plain text", () => {
    const seed = newSeed();
    const secure = `v1:bm9uY2U=:${"c2VhbGVk".repeat(4)}`;
    writeConfig({ sites: [{ name: "oslo" }], keys: { oslo: { link: { secure }, reader: seed } } });
    for (const json of [false, true]) {
      const text = plan(temp.path(), "lab", { json });
      assert.equal(
        [secure, seed, seed.slice(2)].some((secret) => text.includes(secret)),
        false,
      );
      assert.match(text, /keys\.oslo\.reader is in plain text in the stack file/);
    }
    assert.match(plan(temp.path(), "lab"), /\n {2}link key of oslo: given\n {2}reader key of oslo: given\n/);
    writeConfig({ sites: [{ name: "oslo" }], keys: { secure } });
    assert.equal(planned().sites[0]?.link.key, "hidden");
  });

  it("reads values as Pulumi gives them to the program", () => {
    write(
      [
        "config:",
        "  nats-hub-leaf:dataFolder: 2026",
        '  nats-hub-leaf:hub: \'{"name":"center"}\'',
        "  sites: [&first { name: oslo }, { <<: *first, name: bergen }]",
        "  aws:region: eu",
        "environment: [shared]",
      ].join("\n"),
    );
    const { dataFolder, hub, sites, notes } = planned();
    assert.deepEqual([dataFolder, hub.name, sites.map(({ name }) => name)], ["2026", "center", ["oslo", "bergen"]]);
    assert.match(notes.join(), /^environment: what it adds to the config is not known here/);
  });

  const UNREADABLE: Readonly<Record<string, [string | undefined, RegExp]>> = {
    "is not there": [undefined, /^Pulumi\.lab\.yaml: there is no such file; write it \(docs\/settings\.md\)$/],
    "is empty": ["", /^Pulumi\.lab\.yaml: it has no settings of this program; write them below 'config:', each/],
    "has only others' config": ["config: { aws:region: eu }", /: it has no settings of this program; /],
    "is not YAML": ["config:\n  a: [1\n", /^Pulumi\.lab\.yaml:3:1: is not YAML: .*; correct it there$/],
    "is a list": ["- config", /^Pulumi\.lab\.yaml: expected a group of settings/],
    "multiplies itself": [bomb(), /^Pulumi\.lab\.yaml: its aliases cannot be followed: .*; write them out$/],
  };
  for (const [what, [text, expected]] of Object.entries(UNREADABLE)) {
    it(`says where, what and the cure when the stack file ${what}`, () => {
      if (text !== undefined) write(text);
      assert.match(refusal(), expected);
    });
  }

  it("names the stacks that have a file when the wanted one has none, and shows no line of a broken one", () => {
    write(`config:\n  k: ${newSeed()}\n  - x`);
    assert.match(refusal("prod"), /^Pulumi\.prod\.yaml: .*, or name a stack that has one: lab$/);
    assert.doesNotMatch(refusal(), /SU[A-Z0-9]/);
  });
});

/** Aliases of aliases: a short text that grows without end. */
function bomb(): string {
  const lines = Array.from({ length: 12 }, (_, i) => `a${i}: &a${i} [${Array(9).fill(i === 0 ? "x" : `*a${i - 1}`).join(",")}]`); // prettier-ignore
  return lines.join("\n");
}
