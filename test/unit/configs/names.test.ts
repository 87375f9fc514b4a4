import assert from "node:assert/strict";
import fc from "fast-check";
import { accountOf, collectingAccount, isOnline, probeStreamName, siteStreamName } from "../../../configs/names";
import { settingsOf } from "../../support/rules/settings";

const { streams } = settingsOf({
  streams: [
    { name: "EVENTS", subjects: ["events.>"] },
    { name: "LOGS", subjects: ["logs.>"], collect: { mode: "merged" } },
  ],
});
const [events, logs] = [streams[0]!, streams[1]!];

describe("names", () => {
  it("give a site the account of its name in capitals", () => {
    assert.equal(accountOf("oslo-2-b"), "OSLO_2_B");
  });

  it("give two sites two accounts", () => {
    const siteName = fc.stringMatching(/^[a-z][a-z0-9-]{0,5}$/);
    fc.assert(
      fc.property(siteName, siteName, (a, b) => {
        fc.pre(a !== b);
        assert.notEqual(accountOf(a), accountOf(b));
      }),
    );
  });

  it("keep the stream's name at a site that is collected in a stream of its own", () => {
    assert.equal(siteStreamName(events, "oslo-2"), "EVENTS");
  });

  it("add the site to the name of a stream that is merged with other sites'", () => {
    assert.equal(siteStreamName(logs, "oslo-2"), "LOGS_OSLO_2");
  });

  it("put a stream collected by site in the site's account", () => {
    assert.equal(collectingAccount(events, "oslo-2"), "OSLO_2");
  });

  it("put a merged stream in the account HUB", () => {
    assert.equal(collectingAccount(logs, "oslo-2"), "HUB");
  });

  it("mark the stream that stands in for a real one", () => {
    assert.equal(probeStreamName("EVENTS"), "EVENTS_PROBE");
  });

  it("differ for a site that is expected online and one that is not", () => {
    assert.equal(isOnline({ expect: "online" }), true);
    assert.equal(isOnline({ expect: "offline" }), false);
  });
});
