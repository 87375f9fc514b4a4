import assert from "node:assert/strict";
import type { RawSettings } from "../../../../configs/settings";
import type { Report } from "../../../../machine/report";
import { reportOf } from "../../../../views/report/report";
import { newSeed } from "../../../support/rules/settings";
import { type Recording, previewedIn, readRecording, recordingNames } from "../../../support/pages/preview-recordings";
import { TWO_SITES, leafInputs, previewOf, settingsFrom, update } from "./previews";

describe("the report as Markdown", () => {
  it("is the same text for the same preview, in whatever order its steps and diagnostics come", () => {
    for (const name of recordingNames()) {
      const recording = readRecording(name);
      const { steps = [], diagnostics = [] } = recording.preview;
      const preview = { ...recording.preview, steps: steps.toReversed(), diagnostics: diagnostics.toReversed() };
      // The program itself tells of the rules in their order.
      const isRule = ({ values }: Report): boolean => values?.property !== undefined;
      const told = [...recording.told.filter(isRule), ...recording.told.filter((one) => !isRule(one)).toReversed()];
      const text = (one: Recording) => reportOf(previewedIn(one)).markdown;
      assert.equal(text({ ...recording, preview, told }), text(recording), name);
    }
  });

  it("has no seed in it, wherever one was written by mistake", () => {
    const seed = newSeed();
    const wanted = {
      ...TWO_SITES,
      natsServer: `/opt/${seed}`,
      sites: [{ name: "oslo", address: seed }, { name: "bergen" }],
      streams: [{ name: "EVENTS", subjects: ["events.>", seed] }],
    } satisfies RawSettings;
    const { markdown } = reportOf(
      previewOf(
        wanted,
        [update("LeafServer", "oslo-server", leafInputs("oslo"), leafInputs("oslo", { access: { link: seed } }))],
        [{ kind: "found", server: "oslo", words: `site oslo: open ${seed}: no such file` }],
        { pending: [{ site: "bergen", reason: `dial ${seed}` }] },
      ),
    );
    assert.match(markdown, /SU…/);
    assert.ok(!markdown.includes(seed));
  });

  it("shows the words of others as they are: no markup, no mention, no new row", () => {
    const message = "site oslo: <b>@all</b> | [x](http://y) `z`\n| a |\n# b";
    const { markdown } = reportOf(previewOf(TWO_SITES, [], [{ kind: "found", server: "oslo", words: message }]));
    assert.match(
      markdown,
      /\\<b\\>@\u2060all\\<\/b\\> \\\| \\\[x\\\]\(http:\/\/y\) \\`z\\`\n {2}\\\| a \\\|\n {2}\\# b/,
    );
  });

  it("names many sites that are alike once, and the others below", () => {
    const sites = Array.from({ length: 200 }, (_, i) => ({ name: `site-${i}` }));
    const wanted = { ...TWO_SITES, sites: sites.map((site) => ({ ...site, maxPayload: "512KiB" })) };
    const before = settingsFrom({ ...TWO_SITES, sites });
    const { markdown } = reportOf(previewOf(wanted, [], [], { before }));
    assert.match(markdown, /\n\| 200 sites like `site-0` \| `maxPayload` `1 MiB` → `512 KiB` \|/);
    assert.match(markdown, /<details><summary>200 sites like site-0<\/summary>\n\nsite-0, site-1, .*site-199\n/);
    // GitHub takes no longer comment.
    assert.ok(markdown.length < 60_000, `${markdown.length} characters`);
  });

  it("fits a comment where all of 200 sites rotate their keys, wait or have a finding, and names each of them", () => {
    const sites = Array.from({ length: 200 }, (_, i) => ({ name: `a-site-with-a-long-name-${i}` }));
    const wanted = { ...TWO_SITES, sites: sites.map((site) => ({ ...site, rotation: 1, expect: "offline" as const })) };
    const found = sites.flatMap(({ name }, i): Report[] => [
      { kind: "found", server: name, words: `site ${name}: its server does not answer; up repairs it [silent]` },
      { kind: "found", server: name, words: `site ${name}: ${i} messages are missing [missing]` },
    ]);
    const pending = sites.map(({ name }) => ({ site: name, reason: "its machine cannot be reached" }));
    const { markdown } = reportOf(
      previewOf(wanted, [], found, { before: settingsFrom({ ...TWO_SITES, sites }), pending }),
    );
    assert.match(markdown, /\n- 200 sites: link key \(rotation 0 → 1\); the old key is dropped .*-long-name-199\)\n/);
    assert.match(markdown, /\n- 200 sites: its machine cannot be reached \(a-site-with-a-long-name-0, .*-199\)\n/);
    assert.match(markdown, /\n- 200 sites: its server does not answer; .*-long-name-199\)\n/);
    assert.match(markdown, /\n- and 141 more, which 'make preview' shows\n/);
    assert.ok(markdown.length < 65_536, `${markdown.length} characters`);
  });

  it("fits a comment where 200 sites leave at once", () => {
    const sites = Array.from({ length: 200 }, (_, i) => ({ name: `a-site-with-a-long-name-${i}` }));
    const before = settingsFrom({ ...TWO_SITES, sites: [...TWO_SITES.sites, ...sites] });
    const leaving = sites.map(({ name }) => name);
    const { markdown } = reportOf(previewOf(TWO_SITES, [], [], { before, leaving }));
    assert.match(markdown, /\n- 200 sites: its own streams are deleted with it; .*-long-name-199\)\n/);
    assert.ok(markdown.length < 65_536, `${markdown.length} characters`);
  });

  it("says what the removal of a protected site needs", () => {
    const wanted = { ...TWO_SITES, sites: [{ name: "oslo" }] };
    const { changes, markdown } = reportOf(previewOf(wanted, [], [], { leaving: ["bergen"] }));
    assert.match(
      markdown,
      /^### Preview of `lab`: 1 site removed\n\n\*\*Protected: bergen\.\*\* Until `make up STACK=lab CONFIRM=lab REMOVE=bergen` has/,
    );
    assert.deepEqual(changes.leaving, ["bergen"]);
    assert.doesNotMatch(reportOf(previewOf(wanted)).markdown, /REMOVE/);
  });

  it("draws no picture of what is refused", () => {
    const refusal = { kind: "refused" as const, values: { property: "a" }, words: "a: b; c" };
    const { markdown } = reportOf(previewOf(TWO_SITES, [], [refusal]));
    assert.doesNotMatch(markdown, /mermaid/);
    assert.match(reportOf(previewOf(TWO_SITES)).markdown, /```mermaid\n/);
  });

  it("marks in the picture what changes", () => {
    const wanted = { ...TWO_SITES, sites: [{ name: "oslo", reconnect: "200ms" }, { name: "tromso" }] };
    const { markdown } = reportOf(
      previewOf(wanted, [
        update("LeafServer", "oslo-server", leafInputs("oslo"), leafInputs("oslo", { restart: { reconnect: 200 } })),
      ]),
    );
    for (const [site, mark] of [
      ["oslo", "restarts"],
      ["tromso", "added"],
      ["bergen", "removed"],
    ]) {
      assert.match(markdown, new RegExp(`"${site} \\(${mark}\\)`));
    }
  });
});
