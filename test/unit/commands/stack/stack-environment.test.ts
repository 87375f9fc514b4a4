import assert from "node:assert/strict";
import {
  additions,
  environmentOf,
  exportLine,
  missingPassphrase,
  otherBackend,
} from "../../../../commands/stack/stack-environment";
import { stackFileOf } from "../../../../commands/stack/stack-file";

const HOME = { PULUMI_HOME: "/opt/p" };

describe("the environment of the Pulumi CLI", () => {
  it("gives the dev stack the empty passphrase when none is set", () => {
    assert.equal(additions("dev", HOME).PULUMI_CONFIG_PASSPHRASE, "");
  });

  it("leaves a passphrase alone that somebody set, be it empty or in a file", () => {
    assert.equal("PULUMI_CONFIG_PASSPHRASE" in additions("dev", { ...HOME, PULUMI_CONFIG_PASSPHRASE: "" }), false);
    assert.equal(
      "PULUMI_CONFIG_PASSPHRASE" in additions("dev", { ...HOME, PULUMI_CONFIG_PASSPHRASE_FILE: "f" }),
      false,
    );
  });

  describe("of a shell that was readied for dev, whose passphrase is empty, with a file of another's", () => {
    const env = { ...HOME, PULUMI_CONFIG_PASSPHRASE: "", PULUMI_CONFIG_PASSPHRASE_FILE: "f" };

    it("has the file alone, which the CLI would not read", () => {
      const { PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE } = environmentOf("prod", env);
      assert.deepEqual([PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE], [undefined, "f"]);
    });

    it("has the file alone for the plain CLI too", () => {
      assert.match(exportLine("prod", env), /^unset PULUMI_CONFIG_PASSPHRASE; export PULUMI_HOME=/);
    });

    it("keeps the empty one for dev", () => {
      assert.equal(environmentOf("dev", env).PULUMI_CONFIG_PASSPHRASE, "");
      assert.match(exportLine("dev", env), /^export /);
    });

    it("keeps one that is not empty: it is the caller's word", () => {
      const both = { ...env, PULUMI_CONFIG_PASSPHRASE: "x" };
      assert.equal(environmentOf("prod", both).PULUMI_CONFIG_PASSPHRASE, "x");
      assert.match(exportLine("prod", both), /^export /);
    });
  });

  it("gives no other stack a passphrase", () => {
    assert.equal("PULUMI_CONFIG_PASSPHRASE" in additions("prod", HOME), false);
  });

  it("asks for a passphrase on any other stack, and says how to set it", () => {
    assert.match(
      missingPassphrase("prod", stackFileOf(""), {}) ?? "",
      /^stack 'prod': .*set PULUMI_CONFIG_PASSPHRASE_FILE/,
    );
    assert.notEqual(missingPassphrase("prod", stackFileOf(""), { PULUMI_CONFIG_PASSPHRASE_FILE: "" }), undefined);
    assert.equal(missingPassphrase("prod", stackFileOf(""), { PULUMI_CONFIG_PASSPHRASE: "x" }), undefined);
    assert.equal(missingPassphrase("dev", stackFileOf(""), {}), undefined);
  });

  it("asks for none where a cloud's key service holds the secrets", () => {
    assert.equal(missingPassphrase("prod", stackFileOf("secretsprovider: awskms://alias/x\n"), {}), undefined);
    assert.notEqual(missingPassphrase("prod", stackFileOf("secretsprovider: passphrase\n"), {}), undefined);
  });

  describe("of a stack whose file says where its state is", () => {
    const file = stackFileOf("config:\n  nats-hub-leaf:state: s3://fleet?region=eu\n");

    it("names that backend, for make and for the plain CLI", () => {
      assert.equal(additions("prod", HOME, file).PULUMI_BACKEND_URL, "s3://fleet?region=eu");
      assert.match(exportLine("prod", HOME, file), / PULUMI_BACKEND_URL='s3:\/\/fleet\?region=eu'/);
      assert.equal("PULUMI_BACKEND_URL" in additions("prod", HOME, stackFileOf("")), false);
    });

    it("is refused when it names another one already", () => {
      assert.match(
        otherBackend("prod", file, { PULUMI_BACKEND_URL: "s3://other" }) ?? "",
        /^stack 'prod': its state is at s3:\/\/fleet.*unset PULUMI_BACKEND_URL, or correct/,
      );
      assert.equal(otherBackend("prod", file, { PULUMI_BACKEND_URL: "s3://fleet?region=eu" }), undefined);
      assert.equal(otherBackend("prod", file, {}), undefined);
    });

    it("needs no passphrase when Pulumi Cloud keeps state and secrets", () => {
      const inCloud = stackFileOf("config:\n  nats-hub-leaf:state: https://api.pulumi.com\n");
      assert.equal(missingPassphrase("prod", inCloud, {}), undefined);
      assert.notEqual(missingPassphrase("prod", { ...inCloud, isSealed: true }, {}), undefined);
    });
  });

  it("is one line for the shell, with every value quoted", () => {
    assert.equal(
      exportLine("dev", { PULUMI_HOME: "/it's" }),
      `export PULUMI_HOME='/it'\\''s' PULUMI_SKIP_UPDATE_CHECK='true' PULUMI_DIY_BACKEND_GZIP='true' PULUMI_PARALLEL_DIFF='true' PULUMI_CONFIG_PASSPHRASE=''`,
    );
  });

  it("never shows a passphrase that somebody set", () => {
    assert.doesNotMatch(exportLine("prod", { ...HOME, PULUMI_CONFIG_PASSPHRASE: "s3cret" }), /s3cret/);
  });
});
