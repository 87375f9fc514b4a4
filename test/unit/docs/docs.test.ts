import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  applicationPermissions,
  deliverPrefix,
  linkPermissions,
  readerPermissions,
} from "../../../configs/permissions";
import { CONFIG_FINDINGS } from "../../../diagnosis/files/reference";
import { DOCTOR_FINDINGS, FINDINGS } from "../../../diagnosis/reference/reference";
import { findingsDoc } from "../../../commands/docs/docs";
import { exampleSvg } from "../../../commands/docs/example-fleet";
import { SETTING_NAMES } from "../../../configs/settings";
import { RESERVED } from "../../../configs/subjects";
import { watcherPermissions } from "../../../configs/watch/watch";

const doc = (name: string): string => readFileSync(join(__dirname, "../../../docs", name), "utf8");

/** Words of a fenced block or a paragraph, whatever their lines. */
const words = (text: string): string => text.replace(/\s+/g, " ");

describe("the docs", () => {
  const permissions = words(doc("permissions.md"));

  for (const merged of [false, true]) {
    it(`print the rights of a link key in ${merged ? "merged" : "perSite"} mode as the program grants them`, () => {
      const { publish, subscribe } = linkPermissions("oslo", merged);
      const lists = `publish allow: ${publish.allow?.join(" ")} subscribe allow: ${subscribe.allow?.join(" ")} `;
      assert.ok(permissions.includes(lists), lists);
    });
  }

  it("print the rights of the watcher as the program grants them", () => {
    const { publish, subscribe } = watcherPermissions(false);
    const lists = `publish allow: ${publish.allow?.join(" ")} subscribe allow: ${subscribe.allow?.join(" ")} `;
    assert.ok(permissions.includes(lists), lists);
    const ofSeveral = watcherPermissions(true).publish.allow?.find((subject) => subject.includes("LEAFZ")) ?? "";
    assert.ok(permissions.includes(ofSeveral), ofSeveral);
  });

  it("print the rights of a reader as the program grants them", () => {
    const { publish, subscribe } = readerPermissions();
    const lists = `publish allow: ${publish.allow?.join(" ")} subscribe allow: ${subscribe.allow?.join(" ")} `;
    assert.ok(permissions.includes(lists), lists);
  });

  it("name everything that an application is denied", () => {
    const { publish, subscribe } = applicationPermissions("oslo", ["EVENTS"]);
    for (const denied of [...(publish.deny ?? []), ...(subscribe.deny ?? [])]) {
      const operation = /STREAM\.(.*)\.EVENTS$/.exec(denied)?.[1];
      assert.ok(permissions.includes(operation ?? denied), denied);
    }
  });

  it("name the subject that crosses into the account HUB", () => {
    assert.ok(permissions.includes(`${deliverPrefix("oslo")}.>`));
  });

  for (const name of ["several-at-once", "site-renamed"]) {
    it(`show the preview report of ${name} as the program writes it`, () => {
      const golden = readFileSync(join(__dirname, "../views/report/golden", `${name}.md`), "utf8");
      assert.ok(doc("preview-report.md").includes(golden));
    });
  }

  it("name every subject that no stream may take", () => {
    for (const subject of RESERVED) assert.ok(doc("settings.md").includes(`\`${subject}\``), subject);
  });

  it("have every setting", () => {
    const settings = doc("settings.md");
    for (const name of SETTING_NAMES) assert.ok(settings.includes(`\`${name}`), name);
  });

  it("have the findings as the program makes them of its own reference (cure: make docs)", () => {
    assert.equal(doc("findings.md"), findingsDoc());
  });

  it("have the picture of the example as the program draws it (cure: make docs)", () => {
    assert.equal(doc("topology.svg"), exampleSvg());
  });

  it("have a heading for every finding, which the findings link to", () => {
    const headings = [...doc("findings.md").matchAll(/^### ([a-z: -]+)$/gm)].map(([, code]) => code);
    const inFiles = Object.keys(CONFIG_FINDINGS).map((code) => `config: ${code}`);
    assert.deepEqual(headings.sort(), [...Object.keys(FINDINGS), ...Object.keys(DOCTOR_FINDINGS), ...inFiles].sort());
  });
});
