import assert from "node:assert/strict";
import { Mark, mermaidOf } from "../../../../views/topology/mermaid";
import { Topology } from "../../../../views/topology/topology";
import { ALARMS, EVENTS, drawn, manySites } from "../../../support/pages/topologies";

const marks = (of: Record<string, Mark>): Map<string, Mark> => new Map(Object.entries(of));
const fleet = (count: number): Topology => drawn({ sites: manySites(count), streams: [EVENTS] });
const nodes = (text: string): string[] => text.split("\n").filter((line) => /^ {2}\w+\["/.test(line));
const arrows = (text: string): string[] => text.split("\n").filter((line) => / (-->|-\.->)/.test(line));

describe("the Mermaid text of a fleet", () => {
  it("draws two sites, what each sends and where the hub keeps it", () => {
    const text = mermaidOf(
      drawn({
        links: { tls: "generated" },
        sites: [{ name: "oslo" }, { name: "bergen", expect: "offline" }],
        streams: [EVENTS, ALARMS],
      }),
    );
    assert.equal(
      text,
      `flowchart LR
  s1["oslo<br/>account OSLO<br/>process"]:::plain
  s2["bergen<br/>account BERGEN<br/>process<br/>pending: expected offline"]:::pending
  hub["hub<br/>process<br/>HUB/ALARMS<br/>2 site streams"]:::plain
  s1 -->|"EVENTS<br/>ALARMS → HUB/ALARMS<br/>TLS"| hub
  s2 -.->|"EVENTS<br/>ALARMS → HUB/ALARMS<br/>TLS"| hub
  classDef plain fill:#eef4fb,stroke:#4a78a8,color:#14263a
  classDef pending fill:#f3f3f5,stroke:#7a7f87,color:#33373d,stroke-dasharray:5 4
`,
    );
  });

  it("says a mark in words, not by colour alone, of sites and of the hub", () => {
    const text = mermaidOf(fleet(2), marks({ "site-2": "added", hub: "restarts" }));
    assert.match(text, /s2\["site-2 \(added\)<br\/>.*:::added$/m);
    assert.match(text, /hub\["hub \(restarts\)<br\/>.*:::restarts$/m);
    assert.match(text, /s1\["site-1<br\/>.*:::plain$/m);
  });

  it("draws a removed site that the topology no longer has", () => {
    const text = mermaidOf(fleet(1), marks({ tromso: "removed" }));
    assert.match(text, /s2\["tromso \(removed\)"\]:::removed/);
    assert.match(text, /s2 -\.-> hub/);
  });

  it("draws all of twenty sites", () => {
    assert.equal(nodes(mermaidOf(fleet(20))).length, 21);
  });

  it("folds what is not marked of more", () => {
    const text = mermaidOf(fleet(200), marks({ "site-7": "changed", "site-150": "added", gone: "removed" }));
    assert.equal(nodes(text).length, 5);
    assert.match(text, /others\["and 198 more sites"\]:::folded/);
    assert.match(text, /site-150 \(added\)/);
  });

  it("counts what is folded, and draws the first twenty when nothing is marked", () => {
    const text = mermaidOf(fleet(200));
    assert.equal(nodes(text).length, 22);
    assert.match(text, /"and 180 more sites"/);
    assert.match(mermaidOf(fleet(21)), /"and 1 more site"/);
  });

  it("marks the hub alone of a large fleet", () => {
    const text = mermaidOf(fleet(200), marks({ hub: "changed" }));
    assert.match(text, /hub \(changed\)/);
    assert.match(text, /"and 180 more sites"/);
  });

  it("stays within what GitHub draws, with 1000 marked sites of the longest names", () => {
    const sites = Array.from({ length: 1000 }, (_, i) => ({ name: `s${i}-`.padEnd(31, "x") }));
    const streams = Array.from({ length: 32 }, (_, i) => ({
      name: `STREAM_${i}_`.padEnd(64, "X"),
      subjects: [`s${i}.>`],
    }));
    const text = mermaidOf(drawn({ sites, streams }), new Map(sites.map(({ name }) => [name, "restarts"])));
    assert.ok(text.length < 50_000, `${text.length} characters`);
    assert.ok(arrows(text).length < 500);
    assert.match(text, /"and 940 more sites<br\/>940 restarts"/);
    assert.match(text, /and 29 more streams/);
  });

  it("is the same text for the same input", () => {
    assert.equal(mermaidOf(fleet(30)), mermaidOf(fleet(30)));
  });

  it("lets no text of the settings leave its label", () => {
    const [site = assert.fail()] = fleet(1).sites;
    const name = `x"]; click s1 "javascript:alert(1)" #quot; <script>`;
    const text = mermaidOf({ ...fleet(1), sites: [{ ...site, name }] });
    const [label = ""] = nodes(text);
    assert.match(label, /^ {2}s1\["[^"<>{}|;\\`]*(?:#\d+;[^"<>{}|;\\`]*)*(?:<br\/>[^"<>]*)*"\]:::plain$/);
  });

  it("says that a hub of another name is the hub", () => {
    assert.match(mermaidOf(drawn({ hub: { name: "center" } })), /hub\["hub center<br\/>process"\]/);
  });

  it("draws a hub without sites", () => {
    assert.deepEqual(nodes(mermaidOf(drawn({}))), [`  hub["hub<br/>process"]:::plain`]);
  });
});
