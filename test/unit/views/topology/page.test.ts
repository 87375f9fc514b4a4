import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { pageOf } from "../../../../views/topology/page";
import { FILTER_SCRIPT } from "../../../../views/topology/page-script";
import { escaped, fitted, widthOf } from "../../../../views/topology/fitting";
import { standingOf } from "../../../../views/topology/standing";
import { svgFile } from "../../../../views/topology/svg";
import { newSeed } from "../../../support/rules/settings";
import { fleetOfSize } from "../../../support/pages/topologies";

const HOSTILE = `</script><script>x()</script>"'&\u0000`;

describe("the page of a fleet", () => {
  it("lets only its own script run: the policy has its digest", () => {
    const digest = createHash("sha256").update(FILTER_SCRIPT).digest("base64");
    const page = pageOf(fleetOfSize(4));
    assert.ok(page.includes(`script-src 'sha256-${digest}'`), `page-script.ts: the digest is ${digest}`);
    assert.ok(page.includes(`<script>${FILTER_SCRIPT}</script>`));
  });

  it("has no script and no filter where all sites are seen at once", () => {
    assert.doesNotMatch(pageOf(fleetOfSize(3)), /<script|<form/);
  });

  it("shows no filter without scripts", () => {
    assert.match(pageOf(fleetOfSize(4)), /<form [^>]*hidden>/);
  });

  it("names nothing outside of itself", () => {
    const page = pageOf(fleetOfSize(20));
    const named = [...page.matchAll(/\s(?:src|href)="([^"]*)"|url\(([^)]*)\)/g)].map(([, one, other]) => one ?? other);
    assert.deepEqual(
      [...new Set(named)].filter((name) => !name?.startsWith("#g-")),
      ["data:,"],
    );
  });

  it("says of every stream where it is collected, and when and how fast it was proven", () => {
    const [row = ""] = /<tbody data-site="oslo".*?<\/tbody>/s.exec(pageOf(fleetOfSize(2))) ?? [];
    const text = row.replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");
    assert.match(text, /oslo account OSLO , process TLS dials 127\.0\.0\.1/);
    assert.match(text, /EVENTS events\.&#62; OSLO\/EVENTS in the site's own account 28 2\.4 ms 3 Nov 2026, 11:48 UTC/);
    assert.match(
      text,
      /ALARMS_OSLO alarms\.&#62; HUB\/ALARMS merged with other sites 28 2\.7 ms 3 Nov 2026, 11:48 UTC/,
    );
  });

  it("does not speak of proofs where only the settings are known", () => {
    const { proof: _proof, ...fleet } = fleetOfSize(2);
    assert.match(pageOf(fleet), /From the settings alone, without proofs/);
  });

  it("keeps all that comes from settings and notes as text, in the page and in the picture", () => {
    const fleet = fleetOfSize(2);
    const isName = (value: unknown) => /^(oslo|OSLO|EVENTS|events\.>|127\.0\.0\.1|hub)$/.test(String(value));
    const dirty = JSON.parse(JSON.stringify(fleet), (_key, value: unknown) =>
      isName(value) ? HOSTILE : value,
    ) as typeof fleet;
    const { topology, stack: _stack, madeAt: _madeAt, ...known } = dirty;
    const noted = (known.proof ?? []).map((proof) => ({ ...proof, note: HOSTILE }));
    const standings = standingOf(topology, { ...known, proof: noted });
    for (const text of [
      pageOf({ ...dirty, proof: noted, stack: HOSTILE }),
      svgFile({ topology, standings, title: HOSTILE }),
    ]) {
      assert.ok(text.includes("&#60;script&#62;x()"), "the name is not there at all");
      assert.doesNotMatch(text, /<script>x|<\/script><|\u0000/);
    }
  });

  it("shows no seed, wherever it stands", () => {
    const seed = newSeed();
    const fleet = fleetOfSize(2);
    const proof = (fleet.proof ?? []).map((one) => ({ ...one, note: `log: ${seed}` }));
    assert.equal(pageOf({ ...fleet, proof }).includes(seed), false);
  });

  it("is the same text for the same input", () => {
    assert.equal(pageOf(fleetOfSize(20)), pageOf(fleetOfSize(20)));
  });
});

describe("a fitted text", () => {
  const type = { size: 10, mono: true };

  it("is whole where it fits", () => {
    assert.equal(fitted("EVENTS", type, widthOf("EVENTS", type)), "EVENTS");
  });

  it("is cut where it does not, and says so", () => {
    assert.equal(fitted("EVENTS", type, widthOf("EVENTS", type) - 1), "EVEN…");
  });

  it("is nothing where nothing fits", () => {
    assert.equal(fitted("EVENTS", type, 1), "");
  });

  it("is escaped for tags and quoted attributes", () => {
    assert.equal(escaped(`<a href="x" id='y'>&`), "&#60;a href=&#34;x&#34; id=&#39;y&#39;&#62;&#38;");
  });
});
