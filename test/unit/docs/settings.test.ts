import Ajv from "ajv";
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { plan } from "../../../commands/plan";
import { madeDocs } from "../../../commands/docs/docs";
import { stackTemplate } from "../../../commands/stack/stack-template";
import { sitesFileSchema, stackFileSchema } from "../../../views/settings/schema";

const ROOT = resolve(__dirname, "../../..");
const textOf = (file: string): string => readFileSync(join(ROOT, file), "utf8");

const ajv = new Ajv({ strict: false, allErrors: true });
const stackFile = ajv.compile(stackFileSchema());
const sitesFile = ajv.compile(sitesFileSchema());

type Config = Record<string, unknown>;
const PREFIX = "nats-hub-leaf:";

/** What an editor underlines. */
function underlined(config: Config): string[] {
  stackFile({ config });
  return (stackFile.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ""}`);
}

const SHIPPED = [
  "Pulumi.dev.yaml",
  "Pulumi.cluster.yaml",
  "Pulumi.staging.yaml",
  "Pulumi.prod.yaml",
  "examples/csv/Pulumi.csv.yaml",
  "examples/merged/Pulumi.merged.yaml",
];
const configOf = (text: string): Config => {
  const value = parse(text) as Config;
  return (value.config as Config | undefined) ?? value;
};

/** The YAML blocks of the docs that hold settings, each as a stack's config. */
const BLOCKS = ["README.md", ...readdirSync(join(ROOT, "docs")).map((name) => `docs/${name}`)]
  .filter((file) => file.endsWith(".md"))
  .flatMap((file) =>
    [...textOf(file).matchAll(/^```ya?ml\n([^]*?)^```/gm)].map(([, text = ""], i) => ({ file, i: i + 1, text })),
  )
  .filter(({ text }) => text.includes(PREFIX));

describe("what is made of the settings (cure: make docs)", () => {
  it("is in the files as configs/settings.ts has it", async () => {
    for (const [file, text] of Object.entries(await madeDocs())) assert.equal(textOf(file), text, file);
  });

  it("says of every setting what it means", () => {
    const bare: string[] = [];
    const look = (schema: { properties?: Record<string, object>; items?: object }, path: string): void => {
      for (const [name, one] of Object.entries(schema.properties ?? {})) {
        if (!("description" in one)) bare.push(path + name);
        look(one, `${path}${name}.`);
        if ("items" in one) look(one.items as object, `${path}${name}[].`);
      }
    };
    const { properties = {} } = stackFileSchema();
    look(properties.config ?? {}, "");
    assert.deepEqual(bare, []);
  });
});

describe("the JSON Schema of a stack's file", () => {
  for (const file of SHIPPED)
    it(`takes ${file}, which names it in its first lines`, () => {
      assert.deepEqual(underlined(configOf(textOf(file))), []);
      assert.match(textOf(file), /^(#.*\n)*# yaml-language-server: \$schema=configs\/schema\/stack\.json\n/);
    });

  it("takes what `make stack` writes, with all that stands there as comments", () => {
    const text = stackTemplate({ stack: "qa" });
    assert.match(text, /^# yaml-language-server: \$schema=configs\/schema\/stack\.json$/m);
    assert.deepEqual(underlined(configOf(text)), []);
    const all = text.replaceAll(/^( *)# (nats-hub-leaf:)/gm, "$1$2");
    assert.deepEqual(underlined(configOf(all)), []);
  });

  for (const { file, i, text } of BLOCKS)
    it(`takes block ${i} of ${file}, and so does make plan`, () => {
      const config = configOf(text);
      assert.deepEqual(underlined(config), []);
      const folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-block-"));
      try {
        for (const name of ["Pulumi.yaml", "sites.prod.csv"]) copyFileSync(join(ROOT, name), join(folder, name));
        // What a fragment leaves out is that of dev.
        const { [`${PREFIX}sites`]: sites, ...dev } = configOf(textOf("Pulumi.dev.yaml"));
        const own = `${PREFIX}sitesFile` in config ? {} : { [`${PREFIX}sites`]: sites };
        const whole = { config: { ...dev, ...own, ...config }, encryptionsalt: "v1:of:a:stack" };
        writeFileSync(join(folder, "Pulumi.block.yaml"), stringify(whole));
        assert.match(plan(folder, "block"), /hub/);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

  it("takes what is Pulumi's own, and secrets", () => {
    const keys = { "nats-hub-leaf:keys": { oslo: { secure: "v1:x:y" }, bergen: { link: "a seed" } } };
    assert.deepEqual(underlined({ ...keys, "docker:host": "unix:///x", "other:what": [1] }), []);
  });

  const WRONG: Record<string, Config> = {
    "a setting that is misspelt": { "nats-hub-leaf:hubb": {} },
    "a setting below another that is misspelt": { "nats-hub-leaf:hub": { maxFiles: "1GiB" } },
    "a size without a unit": { "nats-hub-leaf:hub": { maxFile: "10" } },
    "a size as a number": { "nats-hub-leaf:hub": { maxFile: 10 } },
    "a port that is none": { "nats-hub-leaf:hub": { ports: { client: 70000 } } },
    "a word that is none of those": { "nats-hub-leaf:links": { tls: "on" } },
    "a site without a name": { "nats-hub-leaf:sites": [{ quota: "4GiB" }] },
    "a stream without subjects": { "nats-hub-leaf:streams": [{ name: "EVENTS" }] },
  };
  for (const [what, config] of Object.entries(WRONG))
    it(`refuses ${what}`, () => {
      assert.notDeepEqual(underlined(config), []);
    });
});

describe("the JSON Schema of a table of sites", () => {
  it("takes a list of sites, and refuses a setting that is misspelt", () => {
    assert.ok(sitesFile([{ name: "oslo" }, { name: "bergen", quota: "4GiB", ports: { client: 4222 } }]));
    assert.ok(!sitesFile([{ name: "oslo", quotta: "4GiB" }]));
  });
});
