import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { copyOf, newStack, refuseRequest, requestOf, sealOf } from "../../../commands/new-stack";
import { refuseEmptyPassphrase } from "../../../commands/stack/passphrase";
import { planStack } from "../../../commands/plan";
import { stackFileOf } from "../../../commands/stack/stack-file";
import { stackTemplate } from "../../../commands/stack/stack-template";
import { inTempFolder, withEnvironment } from "../providers/temp-folder";

const ROOT = path.resolve(__dirname, "../../..");
const KEY = "awskms://alias/fleet?region=eu-north-1";

describe("a new stack", () => {
  const temp = inTempFolder();
  withEnvironment(() => ({
    PULUMI_CONFIG_PASSPHRASE: "a good one",
    PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
    PULUMI_BACKEND_URL: undefined,
  }));
  const make = (request: Parameters<typeof newStack>[1]) => newStack(temp.path(), request, () => undefined);

  it("is asked for by variables, of which an empty one is none", () => {
    assert.deepEqual(requestOf("qa", { FROM: "staging", STATE: "", SECRETS_PROVIDER: KEY }), {
      stack: "qa",
      from: "staging",
      secretsProvider: KEY,
    });
  });

  it("begins as a fleet that can be deployed anywhere, with nothing but comments besides", () => {
    fs.copyFileSync(path.join(ROOT, "Pulumi.yaml"), temp.path("Pulumi.yaml"));
    fs.writeFileSync(temp.path("Pulumi.qa.yaml"), stackTemplate({ stack: "qa" }));
    const { sites, hub } = planStack(temp.path(), "qa");
    assert.deepEqual([sites.map(({ name }) => name), hub.runs], [["oslo", "bergen"], { kind: "process" }]);
  });

  it("has its state and its key in its file", () => {
    const { state, secretsProvider } = stackFileOf(
      stackTemplate({ stack: "qa", state: "s3://fleet?region=eu", secretsProvider: KEY }),
    );
    assert.deepEqual([state, secretsProvider], ["s3://fleet?region=eu", KEY]);
  });

  it("each setting that its comments name is one, when it is no comment any more", () => {
    fs.copyFileSync(path.join(ROOT, "Pulumi.yaml"), temp.path("Pulumi.yaml"));
    fs.writeFileSync(temp.path("sites.csv"), "name\ntromso\n");
    const text = stackTemplate({ stack: "qa" })
      .replaceAll("  # nats-hub-leaf:", "  nats-hub-leaf:")
      .replace(/ {2}nats-hub-leaf:sites:\n( {4}- .*\n)+/, "");
    fs.writeFileSync(temp.path("Pulumi.qa.yaml"), text);
    const plan = planStack(temp.path(), "qa");
    assert.deepEqual([plan.sites.map(({ name }) => name), plan.hub.runs.kind], [["tromso"], "docker"]);
  });

  for (const [stack, expected] of [
    ["Prod", /'Prod' is not a valid stack name: use 1 to 31 lower-case letters/],
    ["qa/1", /is not a valid stack name/],
    ["..", /is not a valid stack name/],
    ["", /is not a valid stack name/],
    ["dev", /name the new environment: make stack STACK=qa/],
  ] as const) {
    it(`has no name like '${stack}'`, () => assert.throws(() => refuseRequest({ stack }), expected));
  }

  it("has a backend and a key that the CLI knows", () => {
    assert.throws(
      () => refuseRequest({ stack: "qa", state: "bucket" }),
      /STATE=bucket is not the URL of a state backend/,
    );
    assert.throws(
      () => refuseRequest({ stack: "qa", secretsProvider: "kms" }),
      /SECRETS_PROVIDER=kms is not supported: use/,
    );
    refuseRequest({
      stack: "qa",
      state: "azblob://state",
      secretsProvider: "azurekeyvault://v.vault.azure.net/keys/k",
    });
  });

  it("is not encrypted with an empty passphrase, wherever it stands", async () => {
    process.env.PULUMI_CONFIG_PASSPHRASE = "";
    await assert.rejects(make({ stack: "qa" }), /stack 'qa': the passphrase is empty, which protects nothing; set /);
    fs.writeFileSync(temp.path("passphrase"), "\n");
    const inFile = (name: string) => ({ PULUMI_CONFIG_PASSPHRASE_FILE: temp.path(name) });
    const refuse = (env: Record<string, string>) => refuseEmptyPassphrase("qa", stackFileOf(""), env);
    assert.throws(() => refuse(inFile("passphrase")), /the passphrase is empty/);
    assert.throws(() => refuse(inFile("none")), /PULUMI_CONFIG_PASSPHRASE_FILE: cannot be read \(ENOENT\)/);
    refuse({ ...inFile("passphrase"), PULUMI_CONFIG_PASSPHRASE: "x" });
    assert.deepEqual(fs.readdirSync(temp.path()), ["passphrase"], "a file was written");
  });

  it("has no passphrase that could be empty when a key service or Pulumi Cloud encrypts its secrets", () => {
    const empty = { PULUMI_CONFIG_PASSPHRASE: "" };
    refuseEmptyPassphrase("qa", stackFileOf(`secretsprovider: ${KEY}\n`), empty);
    refuseEmptyPassphrase("qa", stackFileOf(""), { ...empty, PULUMI_BACKEND_URL: "https://api.pulumi.com" });
    assert.throws(
      () => refuseEmptyPassphrase("qa", stackFileOf("secretsprovider: passphrase\n"), empty),
      /the passphrase is empty/,
    );
  });

  it("is not begun without a passphrase, and leaves no file then", async () => {
    delete process.env.PULUMI_CONFIG_PASSPHRASE;
    await assert.rejects(make({ stack: "qa" }), /its secrets are encrypted with a passphrase, but none is set/);
    assert.deepEqual(fs.readdirSync(temp.path()), []);
  });

  it("never changes a file that is there, also one that says otherwise", async () => {
    fs.writeFileSync(temp.path("Pulumi.qa.yaml"), "config: {}\n");
    await assert.rejects(
      make({ stack: "qa", state: "s3://fleet", secretsProvider: KEY }),
      /^Refusal: Pulumi\.qa\.yaml: already exists, stays as it is, and does not agree with STATE and SECRETS_PROVIDER/,
    );
    assert.equal(fs.readFileSync(temp.path("Pulumi.qa.yaml"), "utf8"), "config: {}\n");
  });

  it("is no copy of a file that is not there", async () => {
    await assert.rejects(make({ stack: "qa", from: "staging" }), /FROM=staging: there is no Pulumi\.staging\.yaml/);
  });

  describe("copied from another", () => {
    const staging = "# Our staging.\nconfig:\n  # A comment.\n  nats-hub-leaf:sites:\n    - name: oslo # the first\n";

    it("has its settings and comments, and nothing of its encryption", () => {
      const copied = copyOf(`${staging}# Of staging's passphrase.\nencryptionsalt: v1:AAAA\n`, {
        stack: "qa",
        from: "staging",
      });
      assert.equal(copied, `# Environment 'qa', created as a copy of 'staging'.\n${staging}`);
    });

    it("may keep its state elsewhere, under another key", () => {
      const from = `${staging}  nats-hub-leaf:state: s3://one\nencryptedkey: AAAA\nsecretsprovider: gcpkms://k\n`;
      const { state, secretsProvider, isSealed } = stackFileOf(
        copyOf(from, { stack: "qa", from: "staging", state: "gs://two", secretsProvider: KEY }),
      );
      assert.deepEqual([state, secretsProvider, isSealed], ["gs://two", KEY, false]);
    });

    it("is refused with what only the other's key opens", () => {
      const from = `${staging}  nats-hub-leaf:keys:\n    oslo:\n      link: { secure: v1:AAAA }\n`;
      assert.throws(
        () => copyOf(from, { stack: "qa", from: "staging" }),
        /Pulumi\.staging\.yaml: nats-hub-leaf:keys is encrypted with that stack's own key; copy the file without it/,
      );
    });
  });

  describe("whose making was interrupted before the CLI wrote its file", () => {
    it("gets the salt of its passphrase from its state", () => {
      const state = { deployment: { secrets_providers: { type: "passphrase", state: { salt: "v1:abc" } } } };
      assert.equal(sealOf(state, "config: {}"), "\nencryptionsalt: v1:abc\n");
    });

    it("gets the key that a service keeps from its state", () => {
      const state = { deployment: { secrets_providers: { type: "cloud", state: { url: KEY, encryptedkey: "AAA=" } } } };
      assert.equal(sealOf(state, "config: {}\n"), `encryptedkey: AAA=\nsecretsprovider: ${KEY}\n`);
      assert.equal(sealOf(state, `secretsprovider: ${KEY}\n`), "encryptedkey: AAA=\n");
    });
  });
});
