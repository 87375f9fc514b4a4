import assert from "node:assert/strict";
import { restartReasons, takenAtStart, type Deployed } from "../../../../configs/plan/effects";
import { UNKNOWN } from "../../../../configs/values";

const server = (more: { restart?: object; maxFile?: number; place?: object } = {}): Deployed => ({
  declaration: {
    restart: { name: "oslo", ports: { client: 4222 }, ...more.restart },
    reload: { limits: { maxFile: more.maxFile ?? 1000, maxMemory: 0 } },
  },
  place: more.place ?? { kind: "process", folder: "x" },
});

describe("why a server restarts", () => {
  const CASES: Record<string, { news: Deployed; reasons: string[] }> = {
    "nothing changes": { news: server(), reasons: [] },
    "fields that it takes at start": {
      news: server({ restart: { reconnect: 1, name: "o" } }),
      reasons: ["name", "reconnect"],
    },
    "another place": { news: server({ place: { kind: "process", folder: "y" } }), reasons: ["place"] },
    "less storage": { news: server({ maxFile: 999 }), reasons: ["less storage"] },
    "more storage": { news: server({ maxFile: 1001 }), reasons: [] },
    "ports that are not known yet": { news: server({ restart: { ports: { client: UNKNOWN } } }), reasons: [] },
    "a state of an older program": { news: {}, reasons: ["name", "place", "ports", "less storage"] },
  };
  for (const [title, { news, reasons }] of Object.entries(CASES))
    it(title, () => assert.deepEqual(restartReasons(news, server()).toSorted(), reasons.toSorted()));

  it("is looked at in this form, of which states hold digests", () => {
    assert.deepEqual(takenAtStart(server()), [
      { name: "oslo", ports: { client: 4222 } },
      { kind: "process", folder: "x" },
    ]);
  });
});
