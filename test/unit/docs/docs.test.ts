import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  applicationPermissions,
  deliverPrefix,
  linkPermissions,
  readerPermissions,
} from "../../../configs/permissions";
import { SETTING_NAMES } from "../../../configs/settings";

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

  it("have every setting", () => {
    const settings = doc("settings.md");
    for (const name of SETTING_NAMES) assert.ok(settings.includes(`\`${name}`), name);
  });

  it("have every finding, and none that does not exist", () => {
    const source = readFileSync(join(__dirname, "../../../diagnosis/finding.ts"), "utf8");
    const union = /export type FindingCode =([\s\S]*?);/.exec(source)?.[1] ?? "";
    const codes = [...union.matchAll(/"([a-z-]+)"/g)].map(([, code]) => code).sort();
    const listed = [...doc("findings.md").matchAll(/^\| `([a-z-]+)`/gm)].map(([, code]) => code).sort();
    assert.ok(codes.length > 0);
    assert.deepEqual(listed, codes);
  });
});
