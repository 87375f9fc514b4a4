import assert from "node:assert/strict";
import { ForeignSite } from "../../../configs/reading/fleet-file";
import { DoctorFinding } from "../../../diagnosis/facts/doctor-report";
import { inForeignWords } from "../../../diagnosis/foreign/cures";
import {
  closedWords,
  isPushedOut,
  judgedLinks,
  linkCure,
  siteLinks,
  unlinkedLeader,
} from "../../../diagnosis/foreign/links";

const WITH_STREAMS: ForeignSite = {
  name: "plant",
  account: "PLANT",
  expect: "online",
  streams: [{ name: "ORDERS" }, { name: "EVENTS" }, { name: "CROPS", at: "region" }],
};
const SITE: ForeignSite = { name: "plant", account: "PLANT", expect: "online" };

describe("the links of a site that somebody else named", () => {
  const links = (...names: string[]) => names.map((name) => ({ name, account: "PLANT" }));
  const NAMELESS = { names: [], hasAllNames: false };

  it("are those under its name, those of its servers, or those under the names that its server says", () => {
    const listed = { links: links("plant", "plant-1", "plant-2", "NABC") };
    const own = (site: Partial<ForeignSite>, names: string[] = []) =>
      siteLinks({ ...SITE, ...site }, [], listed, { names, hasAllNames: false }).own?.map(({ name }) => name);
    assert.deepEqual(own({}), ["plant"]);
    assert.deepEqual(own({ servers: ["plant-1", "plant-2"] }), ["plant-1", "plant-2"]);
    assert.deepEqual(own({ name: "other" }, ["NABC"]), ["NABC"]);
  });

  it("are unknown where nobody was asked", () => {
    assert.deepEqual(siteLinks(SITE, [], {}, NAMELESS), { unclaimed: [], isSure: false });
  });

  it("may be those under a name of no site, in the site's account", () => {
    const other = { ...SITE, name: "other" };
    const listed = { links: [...links("other", "NABC"), { name: "NDEF", account: "ELSEWHERE" }] };
    assert.deepEqual(siteLinks(SITE, [SITE, other], listed, NAMELESS), { own: [], unclaimed: ["NABC"], isSure: false });
  });

  it("are none of those that a region itself opened", () => {
    const listed = { links: [{ name: "plant", account: "PLANT", is_spoke: true }] };
    assert.deepEqual(siteLinks(SITE, [], listed, NAMELESS).own, []);
  });

  it("are judged by one in the right account, whatever others there are", () => {
    const own = [...links("plant-1", "plant-2"), { name: "plant-1", account: "GAS" }];
    assert.deepEqual(judgedLinks(own, "PLANT", undefined), links("plant-1"));
    assert.deepEqual(judgedLinks(own, "GAS", undefined), [{ name: "plant-1", account: "GAS" }]);
  });

  it("are all judged when none is in the right account", () => {
    assert.equal(judgedLinks(links("plant"), "GAS", undefined).length, 1);
  });

  it("are two servers of one name when the site has only one of them", () => {
    assert.equal(judgedLinks(links("plant", "plant"), "PLANT", 1).length, 2);
    assert.equal(judgedLinks(links("plant", "plant"), "PLANT", 2).length, 1);
  });
});

describe("a link that a server closed", () => {
  const closed = (reason: string, stoppedMsAgo: number, name = "plant") => ({
    name,
    reason,
    ip: "10.0.0.7",
    user: "link",
    stoppedMsAgo,
  });

  it("is shown with the latest reason that says why, and its cure", () => {
    const all = [
      closed("Client Closed", 100),
      closed("Authentication Failure", 2_000),
      closed("Cluster Names Identical", 9_000),
    ];
    const words = closedWords(all, ["plant"]);
    assert.equal(
      words,
      "/connz: it closed a link of plant from 10.0.0.7 2 s ago with 'Authentication Failure', login link",
    );
    assert.match(linkCure(words)!, /refuses the login/);
  });

  it("is shown with a usual reason when there is no other", () => {
    assert.match(closedWords([closed("Client Closed", 100)], ["plant"])!, /'Client Closed'/);
  });

  it("names another server of its name when it was pushed out just now", () => {
    const pushed = (ms: number) => [closed("Duplicate Remote LeafNode Connection", ms)];
    assert.equal(isPushedOut(pushed(500), ["plant"]), true);
    assert.equal(isPushedOut(pushed(60_000), ["plant"]), false);
    assert.equal(isPushedOut(pushed(500), ["other"]), false);
  });

  it("is none of another server", () => {
    assert.equal(closedWords([closed("Authentication Failure", 100, "other")], ["plant"]), undefined);
  });

  it("has no cure of its own for a reason that nobody knows", () => {
    assert.equal(linkCure("hub /leafz has no plant"), undefined);
  });
});

describe("a stream whose leader has no link", () => {
  it("is reported where its source is silent, and only there", () => {
    assert.equal(unlinkedLeader([{ name: "quay-1" }], "quay-2", false)?.code, "stream-leader-unlinked");
    assert.equal(unlinkedLeader([{ name: "quay-1" }], "quay-2", true), undefined);
    assert.equal(unlinkedLeader([{ name: "quay-1" }], "quay-1", false), undefined);
    assert.equal(unlinkedLeader([], "quay-2", false), undefined);
    assert.equal(unlinkedLeader([{ name: "quay-1" }], undefined, false), undefined);
  });
});

describe("a finding in a fleet of others", () => {
  const finding = (change: Partial<DoctorFinding>): DoctorFinding => ({
    code: "source-missing",
    severity: "error",
    site: "plant",
    symptom: "s",
    cause: "c",
    evidence: "e",
    next: "run 'pulumi up', which repairs it",
    ...change,
  });
  const said = (change: Partial<DoctorFinding>, downward: string[] = []) =>
    inForeignWords(finding(change), WITH_STREAMS, new Set(downward));

  it("has a cure without this program", () => {
    for (const code of ["source-missing", "wrong-domain", "hub-full", "source-altered"] as const)
      assert.doesNotMatch(said({ code }).next, /pulumi|make /);
  });

  it("has the cure of the reason that the hub gave for a link", () => {
    const evidence = "hub /leafz has no plant; hub /connz: it closed a link with 'Cluster Names Identical'";
    assert.match(said({ code: "link-down", evidence }).next, /cluster\.name/);
  });

  it("is turned round for a stream that the site takes from the hub", () => {
    const turned = said(
      {
        stream: "ORDERS",
        cause: "the hub's source asks '$JS.hub.API', where no site answers; site plant waits",
        evidence: "hub /leafz, accounts.hub",
      },
      ["ORDERS"],
    );
    assert.equal(turned.cause, "the site's source asks '$JS.hub.API', where no hub answers; the hub waits");
    assert.equal(turned.evidence, "site /leafz, accounts.hub");
    assert.match(turned.next, /^add the hub's stream to the sources of the site's stream/);
  });

  it("names the region for a stream that a region collects", () => {
    assert.equal(
      said({ stream: "CROPS", cause: "the hub's source at site plant" }).cause,
      "the region's source at site plant",
    );
  });

  it("stays as it is for a stream that the hub takes", () => {
    assert.equal(said({ stream: "EVENTS", cause: "the hub's source" }, ["ORDERS"]).cause, "the hub's source");
  });
});
