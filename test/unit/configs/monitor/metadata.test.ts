import assert from "node:assert/strict";
import { monitorMetadata, relabelled } from "../../../../configs/monitor/metadata";

const of = (metadata: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key.replace("io.nats.monitor.", ""), value]));

describe("the metadata for nats server check stream", () => {
  it("of a stream with one copy has its sources and their limits", () => {
    assert.deepEqual(of(monitorMetadata({ sources: 2, offline: [], replicas: 1 })), {
      enabled: "true",
      "min-sources": "2",
      "max-sources": "2",
      "lag-critical": "10000",
      "seen-critical": "70s",
    });
  });

  it("of a stream with copies has their number and limits too", () => {
    const labels = of(monitorMetadata({ sources: 2, offline: [], replicas: 3 }));
    assert.deepEqual(
      [labels["peer-expect"], labels["peer-lag-critical"], labels["peer-seen-critical"]],
      ["3", "10000", "70s"],
    );
  });

  it("lets sources be silent while a site is expected offline, and late where all are", () => {
    const some = of(monitorMetadata({ sources: 3, offline: ["oslo", "bergen"], replicas: 1 }));
    assert.deepEqual(some, {
      enabled: "true",
      "min-sources": "3",
      "max-sources": "3",
      "lag-critical": "10000",
      "nats-hub-leaf.offline": "bergen,oslo",
    });
    const all = of(monitorMetadata({ sources: 1, offline: ["oslo"], replicas: 1 }));
    assert.deepEqual(Object.keys(all).sort(), ["enabled", "max-sources", "min-sources", "nats-hub-leaf.offline"]);
  });

  it("asks a stream without sources for none: the check would look for a mirror", () => {
    assert.deepEqual(of(monitorMetadata({ sources: 0, offline: [], replicas: 1 })), { enabled: "true" });
  });

  it("that is written anew leaves other entries, and limits of an adopted stream", () => {
    const live = {
      "nats-hub-leaf.stack": "dev",
      "nats-hub-leaf.offline": "oslo",
      "io.nats.monitor.lag-critical": "5",
      "io.nats.monitor.msgs-warn": "1",
      "io.nats.monitor.min-sources": "9",
    };
    assert.deepEqual(of(relabelled(live, { sources: 2, offline: [], replicas: 1 })), {
      "nats-hub-leaf.stack": "dev",
      "msgs-warn": "1",
      enabled: "true",
      "min-sources": "2",
      "max-sources": "2",
      "lag-critical": "5",
      "seen-critical": "70s",
    });
    assert.deepEqual(of(relabelled(live, { sources: 0, offline: [], replicas: 1 })), {
      "nats-hub-leaf.stack": "dev",
      "msgs-warn": "1",
      enabled: "true",
    });
  });
});
