import assert from "node:assert/strict";
import type { RawSettings } from "../../../../configs/settings";
import { UNKNOWN } from "../../../../configs/values";
import { changesOf } from "../../../../views/report/changes";
import type { FleetChanges } from "../../../../views/report/model";
import { type Report, faultReport } from "../../../../machine/report";
import { previewedIn, readRecording, recordingNames } from "../../../support/pages/preview-recordings";
import type { Diagnostic, PreviewStep } from "../../../../views/report/preview";
import {
  TWO_SITES,
  containerStep,
  hubInputs,
  identityInputs,
  leafInputs,
  linkInputs,
  previewOf,
  replace,
  settingsFrom,
  unknownKeys,
  update,
} from "./previews";

const wrong = (server: string, what: string, isDead = false): Report => ({
  ...faultReport(server, { what, isDead }),
  words: "…",
});

const said = (steps: PreviewStep[], told: Report[] = [], wanted: RawSettings = TWO_SITES): FleetChanges =>
  changesOf(previewOf(wanted, steps, told)).changes;

/** What happens to servers and links, by site, and to the hub. */
function fates(changes: FleetChanges): Record<string, string> {
  const { hub, sites } = changes;
  return Object.fromEntries([
    ...(hub.server === "untouched" ? [] : [["hub", hub.server]]),
    ...sites.map(({ name, server, link }) => [name, `${server}, ${link}`]),
  ]) as Record<string, string>;
}

const onOslo = (news: Record<string, unknown>, olds = leafInputs("oslo")) =>
  update("LeafServer", "oslo-server", olds, news);

/** Another certificate for Oslo, perhaps: it is not known yet. */
const withCertificate = (inputs: Record<string, unknown>): PreviewStep[] => [
  update(
    "Certificate",
    "oslo-certificate",
    { owner: "oslo", names: [], renewBefore: 1 },
    { owner: "oslo", names: [], ...inputs },
  ),
  onOslo(
    leafInputs("oslo", { certificates: { kind: "generated", certificate: UNKNOWN } }),
    leafInputs("oslo", { certificates: { kind: "generated", certificate: "PEM" } }),
  ),
];

describe("the changes that a preview shows", () => {
  describe("to a site's server", () => {
    const CASES: Record<string, { steps: PreviewStep[]; says?: Report[]; fate: Record<string, string> }> = {
      "a setting that it takes at start: it restarts": {
        steps: [onOslo(leafInputs("oslo", { restart: { reconnect: 200 } }))],
        fate: { oslo: "restarts, drops and comes back" },
      },
      "another nats-server: it restarts": {
        steps: [onOslo(leafInputs("oslo", { place: { kind: "process", folder: "x", natsServer: "/opt/nats" } }))],
        fate: { oslo: "restarts, drops and comes back" },
      },
      "less storage: it restarts": {
        steps: [onOslo(leafInputs("oslo", { reload: { limits: { maxFile: 999, maxMemory: 0 } } }))],
        fate: { oslo: "restarts, drops and comes back" },
      },
      "more storage: it reloads": {
        steps: [onOslo(leafInputs("oslo", { reload: { limits: { maxFile: 1001, maxMemory: 0 } } }))],
        fate: { oslo: "reloads, stays" },
      },
      "a larger message: it reloads, and the link stays": {
        steps: [onOslo(leafInputs("oslo", { reload: { maxPayload: 2000 } }))],
        fate: { oslo: "reloads, stays" },
      },
      "another address of the hub: it reloads, and the link is another one": {
        steps: [onOslo(leafInputs("oslo", { reload: { hubUrl: "nats-leaf://hub.example:7422" } }))],
        fate: { oslo: "reloads, drops and comes back" },
      },
      "keys that are not known yet: none of them changes by that": {
        steps: [onOslo(leafInputs("oslo", { reload: { keys: unknownKeys } }))],
        fate: {},
      },
      "a port that is given no more: it restarts, for the next one is another": {
        steps: [
          update(
            "Identity",
            "oslo-identity",
            identityInputs("oslo", { ports: { client: 4222, monitor: 0 } }),
            identityInputs("oslo"),
          ),
          onOslo(leafInputs("oslo", { restart: { ports: { client: UNKNOWN, monitor: UNKNOWN } } })),
        ],
        fate: { oslo: "restarts, drops and comes back" },
      },
      "a certificate that comes to its end: it reloads, and the link stays": {
        steps: withCertificate({ renewBefore: 1 }),
        says: [{ kind: "due", server: "oslo", words: "…" }],
        fate: { oslo: "reloads, stays" },
      },
      "a certificate with other names: it reloads": {
        steps: withCertificate({ renewBefore: 1, names: ["oslo.example"] }),
        fate: { oslo: "reloads, stays" },
      },
      "a certificate that is to be renewed earlier: nothing": { steps: withCertificate({ renewBefore: 2 }), fate: {} },
      "its first certificate: it reloads": {
        steps: [onOslo(leafInputs("oslo", { certificates: { kind: "generated", certificate: UNKNOWN } }))],
        fate: { oslo: "reloads, stays" },
      },
      "a container that is made anew: it is replaced": {
        steps: [containerStep("oslo", "replace"), onOslo(leafInputs("oslo", { place: UNKNOWN }))],
        fate: { oslo: "replaced, drops and comes back" },
      },
      "a container that changes in place: nothing": { steps: [containerStep("oslo", "update")], fate: {} },
      "it died: it starts, whatever else changes": {
        steps: [onOslo(leafInputs("oslo", { restart: { reconnect: 200 } }))],
        says: [wrong("oslo", "is not running", true)],
        fate: { oslo: "starts, comes up" },
      },
      "its file was changed by hand: it is repaired": {
        steps: [onOslo(leafInputs("oslo"))],
        says: [wrong("oslo", "has a configuration file that was changed by hand")],
        fate: { oslo: "repaired, may drop" },
      },
      "it was offline: it starts": {
        steps: [onOslo(leafInputs("oslo"), leafInputs("oslo", { expect: "offline" }))],
        fate: { oslo: "starts, comes up" },
      },
      "it is offline from now on: it is left alone": {
        steps: [onOslo(leafInputs("oslo", { expect: "offline", restart: { reconnect: 200 } }))],
        fate: { oslo: "left alone, pending" },
      },
    };
    for (const [what, { steps, says = [], fate }] of Object.entries(CASES)) {
      it(what, () => assert.deepEqual(fates(said(steps, says)), fate));
    }
  });

  describe("to the hub", () => {
    const onHub = (news: Record<string, unknown>) => update("HubServer", "hub-server", hubInputs(), news);
    const allDrop = { oslo: "untouched, drops and comes back", bergen: "untouched, drops and comes back" };

    it("a setting that it takes at start: it restarts, and every link drops", () => {
      const steps = [onHub(hubInputs({ restart: { syncInterval: 1000 } }))];
      assert.deepEqual(fates(said(steps)), { hub: "restarts", ...allDrop });
    });

    it("less storage: it restarts", () => {
      const steps = [onHub(hubInputs({ reload: { limits: { maxFile: 1, maxMemory: 0 } } }))];
      assert.equal(said(steps).hub.server, "restarts");
    });

    it("any other setting: it reloads, and no link drops", () => {
      assert.deepEqual(fates(said([onHub(hubInputs({ reload: { maxPayload: 2000 } }))])), { hub: "reloads" });
    });

    it("it died: it starts, and every link comes up", () => {
      const says = [wrong("hub", "is not running", true)];
      const up = { oslo: "untouched, comes up", bergen: "untouched, comes up" };
      assert.deepEqual(fates(said([onHub(hubInputs())], says)), { hub: "starts", ...up });
    });

    it("what it knows of sites: it reloads, and names them in the order of the settings", () => {
      const steps = ["bergen", "oslo"].map((site) =>
        update("HubLink", `${site}-link`, linkInputs(site), linkInputs(site, { limits: { maxFile: 1 } })),
      );
      const { hub, sites } = said(steps);
      assert.deepEqual([hub.server, hub.because, sites], ["reloads", ["what it knows of oslo, bergen"], []]);
    });

    it("another way for sites to reach it: nothing by itself", () => {
      const news = { ...linkInputs("oslo"), hub: { url: "nats://127.0.0.1:4333" } };
      assert.equal(said([update("HubLink", "oslo-link", linkInputs("oslo"), news)]).hub.server, "untouched");
    });

    for (const permission of [{ merged: ["EVENTS_OSLO"] }, { throughHub: true }]) {
      it(`other permissions of a link (${Object.keys(permission).join()}): the hub drops it`, () => {
        const steps = [update("HubLink", "oslo-link", linkInputs("oslo"), linkInputs("oslo", permission))];
        assert.deepEqual(fates(said(steps)), { hub: "reloads", oslo: "untouched, drops and comes back" });
      });
    }
  });

  describe("to a hub of three", () => {
    const three = { ...TWO_SITES, hub: { servers: 3 } } satisfies RawSettings;
    const after = (restart: Record<string, unknown>) => (name: string) =>
      update(
        "HubServer",
        `${name}-server`,
        hubInputs({ restart: { name } }),
        hubInputs({ restart: { ...restart, name } }),
      );
    const hubOf = (steps: PreviewStep[], told: Report[] = []) =>
      changesOf(previewOf(three, steps, told, { before: settingsFrom(three) })).changes.hub;
    const ALL = ["hub-1", "hub-2", "hub-3"];

    it("restarts where all of its servers do, for their common reason", () => {
      assert.deepEqual(hubOf(ALL.map(after({ syncInterval: 5000 }))), {
        name: "hub",
        server: "restarts",
        because: ["syncInterval"],
      });
    });

    it("names the one server that is down, or that restarts for itself", () => {
      const down = hubOf(["hub-2"].map(after({})), [wrong("hub-2", "is not running", true)]);
      assert.deepEqual([down.server, down.because], ["repaired", ["hub-2 starts: it is not running"]]);
      const moved = hubOf(["hub-3"].map(after({ ports: { client: 5 } })));
      assert.deepEqual([moved.server, moved.because], ["restarts", ["hub-3 restarts: ports"]]);
    });

    it("is untouched where none of its servers is touched", () => {
      assert.deepEqual(hubOf([]), { name: "hub", server: "untouched", because: [] });
    });
  });

  describe("beside a site that is and stays offline", () => {
    const OFFLINE = { name: "oslo", expect: "offline" as const };
    const wanted = { ...TWO_SITES, sites: [OFFLINE, { name: "bergen" }] };
    const before = settingsFrom(wanted);
    const restarts = update("HubServer", "hub-server", hubInputs(), hubInputs({ restart: { syncInterval: 1000 } }));
    const beside = (steps: PreviewStep[], says: Report[] = [], news: RawSettings = wanted): FleetChanges =>
      changesOf(previewOf(news, steps, says, { before })).changes;

    it("the hub restarts: no link of that site drops, and it is pending", () => {
      const changes = beside([restarts]);
      assert.deepEqual(fates(changes), { hub: "restarts", bergen: "untouched, drops and comes back" });
      assert.deepEqual(
        changes.pending.map(({ site }) => site),
        ["oslo"],
      );
    });

    it("a dead hub starts: no link of that site comes up", () => {
      const says = [wrong("hub", "is not running", true)];
      const steps = [update("HubServer", "hub-server", hubInputs(), hubInputs())];
      assert.deepEqual(fates(beside(steps, says)), { hub: "starts", bergen: "untouched, comes up" });
    });

    it("the hub restarts, and a setting of that site changes: it is left alone", () => {
      const news = { ...wanted, sites: [{ ...OFFLINE, reconnect: "200ms" }, { name: "bergen" }] };
      assert.equal(fates(beside([restarts], [], news)).oslo, "left alone, pending");
    });

    it("the hub restarts, and another site goes offline: it is left alone", () => {
      const news = { ...wanted, sites: [OFFLINE, { name: "bergen", expect: "offline" as const }] };
      const olds = leafInputs("bergen");
      const steps = [
        restarts,
        update("LeafServer", "bergen-server", olds, leafInputs("bergen", { expect: "offline" })),
      ];
      assert.deepEqual(fates(beside(steps, [], news)), { hub: "restarts", bergen: "left alone, pending" });
    });
  });

  describe("to keys", () => {
    it("a rotation, of the link's key alone", () => {
      const steps = [
        update("Identity", "oslo-identity", identityInputs("oslo"), identityInputs("oslo", { rotation: 1 })),
        replace(
          "HubLink",
          "oslo-link",
          linkInputs("oslo"),
          linkInputs("oslo", { rotation: 1, keys: { link: UNKNOWN, operator: UNKNOWN, reader: UNKNOWN } }),
        ),
        onOslo(leafInputs("oslo", { reload: { keys: unknownKeys } })),
      ];
      const wanted = { ...TWO_SITES, sites: [{ name: "oslo", rotation: 1 }, { name: "bergen" }] };
      const changes = said(steps, [], wanted);
      assert.deepEqual(changes.keys, [{ owner: "oslo", role: "link", rotation: { from: 0, to: 1 } }]);
      assert.deepEqual(fates(changes), { hub: "reloads", oslo: "reloads, drops and comes back" });
    });

    it("given keys that are others, by role", () => {
      const steps = [
        update("Identity", "oslo-identity", identityInputs("oslo"), identityInputs("oslo", { given: "[secret]" })),
        onOslo(leafInputs("oslo", { reload: { keys: { system: "UA", operator: UNKNOWN, application: "UX" } } })),
      ];
      assert.deepEqual(said(steps).keys, [{ owner: "oslo", role: "application" }]);
    });

    it("a rotation beside given keys: the link's key alone", () => {
      const [olds, news] = [0, 1].map((rotation) => identityInputs("oslo", { given: "[secret]", rotation }));
      const wanted = { ...TWO_SITES, sites: [{ name: "oslo", rotation: 1 }, { name: "bergen" }] };
      const { keys } = said([update("Identity", "oslo-identity", olds!, news!)], [], wanted);
      assert.deepEqual(keys, [{ owner: "oslo", role: "link", rotation: { from: 0, to: 1 } }]);
    });

    it("keys that are given no more: that one is made, and not which", () => {
      const olds = identityInputs("oslo", { given: "[secret]" });
      assert.deepEqual(said([update("Identity", "oslo-identity", olds, identityInputs("oslo"))]).keys, [
        { owner: "oslo", role: "given" },
      ]);
    });
  });

  it("shows with given keys too, which the preview does not show", () => {
    const previewed = previewOf({ ...TWO_SITES, sites: [{ name: "oslo" }] });
    previewed.preview.config!["nats-hub-leaf:keys"] = "[secret]";
    assert.deepEqual(fates(changesOf(previewed).changes), { bergen: "stops, goes" });
  });

  it("to nothing: there are none", () => assert.equal(said([]).verdict, "unchanged"));

  it("to a site whose machine is away: it is left alone, whatever its settings say", () => {
    const wanted = { ...TWO_SITES, sites: [{ name: "oslo", reconnect: "200ms" }, { name: "bergen" }] };
    const pending = [{ site: "oslo", reason: "engine away" }];
    const { changes } = changesOf(previewOf(wanted, [], [], { pending }));
    assert.deepEqual(fates(changes), { oslo: "left alone, pending" });
    assert.deepEqual(changes.pending, pending);
  });

  it("has the smoke test run where a server is touched, though its own preview cannot know", () => {
    assert.match(said([onOslo(leafInputs("oslo", { reload: { maxPayload: 2000 } }))]).proof, /^the smoke test runs/);
    assert.equal(said([]).proof, "");
  });

  it("keeps what the providers found, without what differs from one preview to the next", () => {
    const { found } = said(
      [],
      [
        { kind: "found", server: "oslo", words: "site oslo: no source" },
        { kind: "rehearsed", words: "rehearsal: 6 probes arrived in 1.2 s" },
        { kind: "found", words: "rehearsal: no room; it goes on without" },
        { kind: "fate", server: "bergen", values: { fate: "reloads" }, words: "site bergen: up reloads its server" },
      ],
    );
    assert.deepEqual(found, ["rehearsal: no room; it goes on without", "site oslo: no source"]);
  });

  describe("that is refused", () => {
    const refusal = (words: string, about: Partial<Report> = {}): Report => ({ kind: "refused", words, ...about });
    const ofRule = (words: string): Report => refusal(words, { values: { property: words.split(":")[0] ?? "" } });
    /** What the CLI shows of errors, in its own words round the program's. */
    const withErrors = (told: Report[], ...messages: string[]) => {
      const previewed = previewOf(TWO_SITES, [], told);
      const diagnostics = messages.map((message): Diagnostic => ({
        severity: "error",
        message: `error: ${message}\n`,
      }));
      return changesOf({ ...previewed, preview: { ...previewed.preview, diagnostics } });
    };

    it("by several sites: in the order of the settings, once each", () => {
      const at = (server: string): Report => refusal(`no: ${server}`, { server });
      const { changes, failures } = withErrors([at("bergen"), at("oslo"), at("oslo")], "no: oslo", "no: bergen");
      assert.deepEqual(changes.refusals, ["no: oslo", "no: bergen"]);
      assert.deepEqual([changes.verdict, failures], ["refused", []]);
    });

    it("by the rules: all of them, in their order", () => {
      const rules = ["sites[1].name: b; c", "hub.host: b; c"];
      const { changes, failures } = withErrors(rules.map(ofRule), `2 problems:\n  - ${rules.join("\n  - ")}`);
      assert.deepEqual([changes.refusals, failures], [rules, []]);
    });

    it("by the check of the fleet, which the CLI shows by the property", () => {
      const told = refusal("hub.name: changes; cure", { values: { property: "hub.name" } });
      const error = "nats:FleetCheck resource 'fleet-check': property hub.name value {x} has a problem: changes; cure";
      assert.deepEqual(withErrors([told], error).failures, []);
    });

    it("is no failure", () => {
      const { changes, failures } = withErrors([], "no such plugin");
      assert.deepEqual([changes.verdict, failures], ["unchanged", ["no such plugin"]]);
    });

    it("promises nothing of messages: they were not looked at to the end", () => {
      const wanted = { ...TWO_SITES, sites: [{ name: "oslo" }] };
      assert.deepEqual(said([], [ofRule("a: b; c")], wanted).data, []);
      assert.match(said([], [], wanted).data.join(), /^bergen: its own streams are deleted with it; the hub has every/);
    });
  });

  it("are read from the data of the providers, whatever their words are", () => {
    for (const name of recordingNames()) {
      const recording = readRecording(name);
      const isShown = ({ kind }: Report): boolean => kind === "found" || kind === "refused" || kind === "due";
      const told = recording.told.map((one) => (isShown(one) ? one : { ...one, words: "in other words" }));
      const report = (one: readonly Report[]) => changesOf(previewedIn({ ...recording, told: one })).changes;
      assert.deepEqual(report(told), report(recording.told), name);
      const others = recording.told.map((one, i) => ({ ...one, words: `words ${i}` }));
      const { refusals: _, found: __, ...rest } = report(recording.told);
      const { refusals: ___, found: ____, ...restOfOthers } = report(others);
      assert.deepEqual(restOfOthers, rest, name);
    }
  });
});
