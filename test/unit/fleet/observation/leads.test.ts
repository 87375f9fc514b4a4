import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SiteFacts } from "../../../../diagnosis/facts/facts";
import { leadsIn, noteLeads } from "../../../../fleet/observation/leads";
import { inTempFolder } from "../../providers/temp-folder";

const seen = (site: string, leads: Record<string, string | undefined>): Pick<SiteFacts, "site" | "streams"> => ({
  site,
  streams: Object.entries(leads).map(([collectedAs, leader]) => ({
    name: "EVENTS",
    collectedAs,
    api: "",
    onHub: { messages: 0, lastSeq: 0, created: "", ...(leader === undefined ? {} : { leader }) },
  })),
});

describe("who leads the streams of the hub", () => {
  const temp = inTempFolder();
  const root = (): string => temp.path("dev");
  beforeEach(() => mkdirSync(root(), { recursive: true }));
  const leaders = (): string[] => leadsIn(root()).map(({ stream, leader }) => `${stream} ${leader}`);

  it("is what was seen last of each, with its time", () => {
    writeLead("oslo", "2026-11-03T10:11:12Z");
    noteLeads(root(), seen("bergen", { "HUB/ALL": "hub-3", "BERGEN/EVENTS": "" }));
    assert.deepEqual(leaders(), ["BERGEN/EVENTS ", "HUB/ALL hub-3"]);
    assert.ok(leadsIn(root()).every(({ at }) => Math.abs(Date.now() - Date.parse(at)) < 5_000));
  });
  it("is not forgotten for a look that saw nothing of it", () => {
    writeLead("oslo", "2026-11-03T10:11:12Z");
    noteLeads(root(), seen("oslo", { "HUB/ALL": undefined }));
    assert.deepEqual(leaders(), ["HUB/ALL hub-1"]);
  });
  it("is not known of a hub of one, and no file says so", () => {
    noteLeads(root(), seen("oslo", { "OSLO/EVENTS": undefined }));
    assert.deepEqual([leadsIn(root()), existsSync(join(root(), "leads"))], [[], false]);
  });
  it("is not kept where the stack has no files", () => {
    noteLeads(temp.path("other"), seen("oslo", { "OSLO/EVENTS": "hub-1" }));
    assert.equal(existsSync(temp.path("other")), false);
  });
  it("is read past a damaged file", () => {
    writeLead("oslo", "2026-11-03T10:11:12Z");
    writeFileSync(join(root(), "leads", "bergen"), "{");
    assert.deepEqual(leaders(), ["HUB/ALL hub-1"]);
  });

  function writeLead(site: string, at: string): void {
    mkdirSync(join(root(), "leads"), { recursive: true });
    writeFileSync(join(root(), "leads", site), JSON.stringify([{ stream: "HUB/ALL", leader: "hub-1", at }]));
  }
});
