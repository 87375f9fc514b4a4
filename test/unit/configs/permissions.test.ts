import assert from "node:assert/strict";
import {
  applicationPermissions,
  deliverPrefix,
  linkPermissions,
  probeSubject,
  probeSubjects,
  readerPermissions,
} from "../../../configs/permissions";
import { SubjectRule } from "../../../configs/server-config";
import { covers, overlaps } from "../../../configs/subjects";

const allows = ({ allow }: SubjectRule, subject: string): boolean =>
  (allow ?? []).some((pattern) => covers(pattern, subject));
const denies = ({ deny }: SubjectRule, subject: string): boolean =>
  (deny ?? []).some((pattern) => covers(pattern, subject));

describe("a link key", () => {
  it("has exactly the rights that sourcing by site needs", () => {
    assert.deepEqual(linkPermissions("oslo", false), {
      publish: { allow: ["$JS.S.>", "$JSC.R.>"] },
      subscribe: { allow: ["$JS.oslo.API.CONSUMER.>", "$JS.FC.>"] },
    });
  });

  it("has exactly the rights that sourcing into a merged stream needs", () => {
    assert.deepEqual(linkPermissions("oslo", true), {
      publish: { allow: ["$JS.S.>", "$JSC.R.>", "_R_.>", "_source.oslo.>"] },
      subscribe: { allow: ["$JS.oslo.API.CONSUMER.>", "$JS.FC.>"] },
    });
  });

  it("has besides the rights to be asked by this program and to answer, when its site is reached through the hub", () => {
    assert.deepEqual(linkPermissions("oslo", false, true), {
      publish: { allow: ["$JS.S.>", "$JSC.R.>", "_INBOX.>"] },
      subscribe: {
        allow: ["$JS.oslo.API.CONSUMER.>", "$JS.FC.>", "$JS.oslo.API.>", "_site.oslo.>", "_probe.>"],
      },
    });
  });

  for (const merged of [false, true]) {
    const mode = merged ? "merged" : "perSite";
    it(`reaches no JetStream API on the hub in mode ${mode}`, () => {
      for (const subject of ["$JS.API.>", "$JS.hub.API.>", "$JS.API.STREAM.DELETE.EVENTS"]) {
        assert.ok(!linkPermissions("oslo", merged).publish.allow!.some((pattern) => overlaps(pattern, subject)));
      }
    });

    it(`sends none of the site's own messages in mode ${mode}`, () => {
      assert.equal(allows(linkPermissions("oslo", merged).publish, "events.door"), false);
    });

    it(`receives flow control in both forms, and sends none, in mode ${mode}`, () => {
      const { publish, subscribe } = linkPermissions("oslo", merged);
      for (const subject of ["$JS.FC.EVENTS.c.1", "$JS.FC.oslo.0Ho5lW11.EVENTS.c.1"]) {
        assert.equal(allows(subscribe, subject), true);
        assert.equal(allows(publish, subject), false);
      }
    });

    it(`receives nothing of another site in mode ${mode}`, () => {
      assert.equal(allows(linkPermissions("oslo", merged).subscribe, "$JS.bergen.API.CONSUMER.CREATE.EVENTS"), false);
    });
  }

  it("delivers under the prefix of its own site only", () => {
    assert.equal(deliverPrefix("oslo"), "_source.oslo");
    assert.equal(allows(linkPermissions("oslo", true).publish, "_source.bergen.x"), false);
  });
});

describe("a site's application", () => {
  const { publish, subscribe } = applicationPermissions("oslo", ["EVENTS", "LOGS_OSLO"]);

  it("has no list of what it may do, only of what it may not", () => {
    assert.equal(publish.allow, undefined);
    assert.equal(subscribe.allow, undefined);
  });

  const CHANGES = [
    "STREAM.CREATE",
    "STREAM.UPDATE",
    "STREAM.DELETE",
    "STREAM.PURGE",
    "STREAM.SNAPSHOT",
    "STREAM.RESTORE",
    "STREAM.MSG.DELETE",
    "STREAM.LEADER.STEPDOWN",
    "STREAM.PEER.REMOVE",
  ];
  for (const change of CHANGES) {
    it(`may not ask for ${change} of a stream of the program, by any of the names of the API`, () => {
      for (const api of ["$JS.API", "$JS.oslo.API"]) {
        for (const stream of ["EVENTS", "LOGS_OSLO"]) assert.ok(denies(publish, `${api}.${change}.${stream}`));
      }
    });
  }

  for (const subject of [
    "events.door",
    "$JS.API.STREAM.CREATE.OWN",
    "$JS.API.STREAM.INFO.EVENTS",
    "$JS.API.CONSUMER.CREATE.EVENTS",
    "$JS.API.STREAM.MSG.GET.EVENTS",
    "$JS.ACK.EVENTS.c.1.1.1.1.1",
    "_INBOX.x",
  ]) {
    it(`may publish ${subject}`, () => {
      assert.equal(denies(publish, subject), false);
    });
  }

  it("may not publish where probes go", () => {
    assert.equal(denies(publish, "_probe.EVENTS.mine"), true);
  });

  for (const subject of ["$JS.S.x", "$JSC.R.x", "_source.oslo.events.door"]) {
    it(`may not forge ${subject}, which the servers exchange for sourcing`, () => {
      assert.equal(denies(publish, subject), true);
    });
  }

  for (const subject of ["$JS.S.x", "_source.oslo.events.door"]) {
    it(`may not listen to ${subject}`, () => {
      assert.equal(denies(subscribe, subject), true);
    });
  }

  it("is denied no change of streams when the program has none", () => {
    assert.deepEqual(applicationPermissions("oslo", []).publish.deny, [
      "$JS.S.>",
      "$JSC.>",
      "_source.>",
      "_site.>",
      "_probe.>",
    ]);
  });
});

describe("the reader", () => {
  const { publish, subscribe } = readerPermissions();

  it("has exactly the rights to consume", () => {
    assert.deepEqual(readerPermissions(), {
      publish: {
        allow: [
          "$JS.API.INFO",
          "$JS.API.STREAM.NAMES",
          "$JS.API.STREAM.LIST",
          "$JS.API.STREAM.INFO.*",
          "$JS.API.STREAM.MSG.GET.*",
          "$JS.API.DIRECT.GET.>",
          "$JS.API.CONSUMER.>",
          "$JS.ACK.>",
          "$JS.FC.>",
        ],
      },
      subscribe: { allow: ["_INBOX.>"] },
    });
  });

  for (const subject of [
    "$JS.ACK.EVENTS.c.1.1.1.1.0",
    "$JS.ACK.hub.0Ho5lW11.EVENTS.c.1.1.1.1.0",
    "$JS.FC.EVENTS.c.1",
    "$JS.FC.hub.0Ho5lW11.EVENTS.c.1",
  ]) {
    it(`may answer its consumer on ${subject}`, () => {
      assert.equal(allows(publish, subject), true);
    });
  }

  for (const change of ["CREATE", "UPDATE", "DELETE", "PURGE", "MSG.DELETE", "RESTORE", "SNAPSHOT"]) {
    it(`may not ask for STREAM.${change}`, () => {
      assert.equal(allows(publish, `$JS.API.STREAM.${change}.EVENTS`), false);
    });
  }

  it("may neither publish data nor listen to it beside a consumer", () => {
    assert.equal(allows(publish, "events.door"), false);
    assert.equal(allows(subscribe, "events.door"), false);
  });
});

describe("a probe's subject", () => {
  it("names the stream and the run", () => {
    assert.equal(probeSubject("EVENTS", "r1"), "_probe.EVENTS.r1");
  });

  it("is one of the stream's probe subjects", () => {
    assert.ok(covers(probeSubjects("EVENTS"), probeSubject("EVENTS", "r1")));
  });

  it("is none of another stream's", () => {
    assert.ok(!covers(probeSubjects("LOGS"), probeSubject("EVENTS", "r1")));
  });
});
