import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { stackSettings } from "../../../components/stack-settings";
import { newSeed } from "../../support/rules/settings";
import { inTempFolder, withEnvironment } from "../providers/temp-folder";
import { configOf } from "./recorder";

describe("the settings of a stack", () => {
  const temp = inTempFolder();
  withEnvironment(() => ({ PULUMI_CONFIG_PASSPHRASE: "a good one", PULUMI_CONFIG_PASSPHRASE_FILE: undefined }));
  beforeEach(() => pulumi.runtime.setMocks({ newResource: neverCalled, call: neverCalled }, "nats-hub-leaf", "dev"));
  afterEach(() => pulumi.runtime.setAllConfig({}));

  const neverCalled = () => {
    throw new Error("settings make no resource");
  };
  const settings = (config: Record<string, string>) => {
    pulumi.runtime.setAllConfig(config);
    return stackSettings();
  };
  function refusal(config: Record<string, string>): string {
    try {
      settings(config);
    } catch (error) {
      assert.equal(pulumi.RunError.isInstance(error), true, String(error));
      return (error as Error).message;
    }
    throw new Error("the settings were not refused");
  }

  it("are the defaults when none is given", () => {
    const { runtime, dataFolder, sites, smokeTest } = settings({});
    assert.deepEqual([runtime, dataFolder, sites, smokeTest], ["process", ".fleet", [], "onChange"]);
  });

  it("are read from text and from JSON, as Pulumi gives them", () => {
    const { dataFolder, sites, hub } = settings({
      "nats-hub-leaf:dataFolder": "/srv/fleet",
      "nats-hub-leaf:sites": '[{"name":"oslo","quota":"3GiB"}]',
      "nats-hub-leaf:hub": '{"maxPayload":"2MiB"}',
    });
    assert.deepEqual([dataFolder, sites[0]?.quota, hub.maxPayload], ["/srv/fleet", 3 * 2 ** 30, 2 * 2 ** 20]);
  });

  it("keep a text a text, also one that looks like a number or a list", () => {
    assert.equal(settings({ "nats-hub-leaf:dataFolder": "2026" }).dataFolder, "2026");
    assert.equal(settings({ "nats-hub-leaf:dataFolder": "[fleet" }).dataFolder, "[fleet");
  });

  it("with mistakes are refused with all of them at once: shape, rules and names", () => {
    const message = refusal({
      ...configOf({
        sites: [{ name: "oslo", quotta: "1GiB" }, { name: "bergen" }, { name: "bergen" }],
        streams: [{ name: "EVENTS", subjects: ["events.>", "$JS.x"], maxBytes: "many" }],
      }),
      "nats-hub-leaf:site": "[]",
    });
    assert.match(message, /^the settings have 5 problems:\n/);
    for (const problem of [
      /- site: is not a setting; use one of runtime, .*sites/,
      /- sites\[0\]: 'quotta' is not a setting/,
      /- sites\[2\]\.name: 'bergen' is used twice/,
      /- streams\[0\]\.subjects\[1\]: '\$JS\.x' touches the reserved subjects/,
      /- streams\[0\]\.maxBytes: 'many' is not a size/,
    ]) {
      assert.match(message, problem);
    }
  });

  it("refuse a misspelt top-level key, and leave those of other programs and of Pulumi alone", () => {
    const others = { "aws:region": "eu", "pulumi:tags": "{}" };
    settings(others);
    assert.match(
      refusal({ ...others, "nats-hub-leaf:Sites": "[]" }),
      /^the settings have 1 problem:\n {2}- Sites: is not/,
    );
  });

  it("show no seed in a refusal", () => {
    const seed = newSeed();
    const message = refusal(
      configOf({
        keys: { oslo: { link: seed, wrong: seed }, hub: { system: `${seed}X` } },
        hub: { host: seed, name: seed },
      }),
    );
    assert.equal(message.includes(seed.slice(2)), false);
  });

  describe("with a table of sites", () => {
    let before: string;
    beforeEach(() => {
      before = process.cwd();
      mkdirSync(temp.path("src"));
      writeFileSync(temp.path("Pulumi.yaml"), "name: nats-hub-leaf\n");
      writeFileSync(temp.path("sites.csv"), "name,quota\noslo,3GiB\nbergen,many\ntromso,4GiB\n");
      // Where Pulumi starts a program whose `main` lies there.
      process.chdir(temp.path("src"));
    });
    afterEach(() => process.chdir(before));
    const ofTable = { "nats-hub-leaf:sitesFile": "sites.csv", "nats-hub-leaf:sites": "[]" };

    it("are read from the project's folder, also when the program stands below it", () => {
      assert.match(
        refusal(ofTable),
        /^the settings have 1 problem:\n {2}- sites\.csv line 3, column quota: 'many' is not/,
      );
    });

    it("name the right line when a site before it is left out of this run", () => {
      process.env.NATS_HUB_LEAF_LEFT_OUT = "oslo";
      try {
        assert.match(refusal(ofTable), /- sites\.csv line 3, column quota: 'many' is not/);
        process.env.NATS_HUB_LEAF_LEFT_OUT = "bergen";
        assert.deepEqual(
          settings(ofTable).sites.map(({ name }) => name),
          ["oslo", "tromso"],
        );
      } finally {
        delete process.env.NATS_HUB_LEAF_LEFT_OUT;
      }
    });
  });

  describe("with a state of their own", () => {
    withEnvironment(() => ({ PULUMI_BACKEND_URL: undefined }));
    const ofState = { "nats-hub-leaf:state": "s3://fleet?region=eu-north-1" };

    it("are refused in a run that keeps its state elsewhere: it would make all servers a second time", () => {
      const expected = /- state: is not where this run keeps its state .*eval "\$\(make -s env STACK=dev\)"/;
      assert.match(refusal(ofState), expected);
      process.env.PULUMI_BACKEND_URL = "s3://other";
      assert.match(refusal(ofState), expected);
    });

    it("are taken in a run that keeps its state there", () => {
      process.env.PULUMI_BACKEND_URL = "s3://fleet?region=eu-north-1";
      assert.equal(settings(ofState).hub.name, "hub");
    });

    it("are refused with what is no URL of a backend", () => {
      assert.match(
        refusal({ "nats-hub-leaf:state": "fleet-bucket" }),
        /- state: 'fleet-bucket' is not the URL of a state/,
      );
    });
  });

  it("take true and false as Pulumi gives them: as text", () => {
    assert.equal(settings({ "nats-hub-leaf:protect": "true" }).protect, true);
    assert.equal(settings({ "nats-hub-leaf:protect": "false" }).protect, false);
    assert.match(refusal({ "nats-hub-leaf:protect": "yes" }), /- protect: 'yes' is neither true nor false/);
  });

  describe("with an empty passphrase", () => {
    const remote = () => configOf({ hub: { host: "10.0.0.1" } });

    it("are refused when the hub is not on this machine's loopback", () => {
      process.env.PULUMI_CONFIG_PASSPHRASE = "";
      assert.match(refusal(remote()), /hub\.host: 10\.0\.0\.1 is not a loopback address, .*empty passphrase/);
    });

    it("are taken on loopback", () => {
      process.env.PULUMI_CONFIG_PASSPHRASE = "";
      assert.equal(settings({}).hub.host, "127.0.0.1");
    });

    it("are refused though a file holds a passphrase: the CLI takes the empty one first", () => {
      writeFileSync(temp.path("passphrase"), "a good one\n");
      process.env.PULUMI_CONFIG_PASSPHRASE = "";
      process.env.PULUMI_CONFIG_PASSPHRASE_FILE = temp.path("passphrase");
      assert.match(refusal(remote()), /empty passphrase/);
    });

    describe("that encrypts nothing", () => {
      withEnvironment(() => ({ PULUMI_BACKEND_URL: undefined }));
      let before: string;
      beforeEach(() => {
        before = process.cwd();
        writeFileSync(temp.path("Pulumi.yaml"), "name: nats-hub-leaf\n");
        process.chdir(temp.path());
        process.env.PULUMI_CONFIG_PASSPHRASE = "";
      });
      afterEach(() => process.chdir(before));
      const ofStack = (text: string) => writeFileSync(temp.path("Pulumi.dev.yaml"), `config: {}\n${text}`);

      for (const provider of ["awskms://alias/x?region=eu", '"hashivault://fleet"']) {
        it(`are taken when a key service does: ${provider}`, () => {
          ofStack(`secretsprovider: ${provider}\nencryptedkey: AAAA\n`);
          assert.equal(settings(remote()).hub.host, "10.0.0.1");
        });
      }

      it("are taken when Pulumi Cloud does, and refused when a passphrase does there", () => {
        process.env.PULUMI_BACKEND_URL = "https://api.pulumi.com";
        ofStack("");
        assert.equal(settings(remote()).hub.host, "10.0.0.1");
        ofStack("encryptionsalt: v1:AAAA\n");
        assert.match(refusal(remote()), /empty passphrase/);
      });

      it("are refused when a passphrase does", () => {
        for (const text of ["", "encryptionsalt: v1:AAAA\n", "secretsprovider: passphrase\n"]) {
          ofStack(text);
          assert.match(refusal(remote()), /empty passphrase/);
        }
      });
    });

    it("are refused when it stands in a file", () => {
      writeFileSync(temp.path("passphrase"), "\n");
      delete process.env.PULUMI_CONFIG_PASSPHRASE;
      process.env.PULUMI_CONFIG_PASSPHRASE_FILE = temp.path("passphrase");
      assert.match(refusal(remote()), /empty passphrase/);
    });
  });

  it("are taken when a passphrase stands in a file, also one that only the CLI can read", () => {
    writeFileSync(temp.path("passphrase"), "a good one\n");
    delete process.env.PULUMI_CONFIG_PASSPHRASE;
    for (const file of ["passphrase", "none"]) {
      process.env.PULUMI_CONFIG_PASSPHRASE_FILE = temp.path(file);
      assert.equal(settings(configOf({ hub: { host: "10.0.0.1" } })).hub.host, "10.0.0.1");
    }
  });
});
