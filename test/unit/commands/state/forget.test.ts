import assert from "node:assert/strict";
import { lostOfHub, refuseForgetting, withoutMachineOf } from "../../../../commands/state/forget";
import type { Deployment, StateResource } from "../../../../commands/stack/pending";
import { withEnvironment } from "../../providers/temp-folder";
import { by, container, provider, resource, urnOf } from "../../toolchain/docker-state";
import { withFakeEngine } from "../../toolchain/fake-engine";
import { spread } from "../../configs/hub-rules.cases";
import { settingsOf } from "../../../support/rules/settings";

const stateOf = (...resources: StateResource[]): Deployment => ({ deployment: { resources } });
const nameOf = ({ urn }: { urn: string }): string => urn.split("::").at(-1) ?? "";

/** What a state has of an engine. */
const engineOf = (name: string, host?: string): StateResource[] => [
  provider(name, host),
  resource("network", `${name}-network`, by(name)),
  resource("image", `${name}-image`, by(name)),
];

/** What a state has of a site in a container. */
const siteOf = (site: string, engine: string): StateResource[] => [
  resource("identity", `${site}-identity`),
  resource("leaf", site),
  resource("link", `${site}-link`),
  resource("volume", `${site}-config`, by(engine)),
  resource("volume", `${site}-data`, by(engine)),
  container(site, engine),
  resource("server", `${site}-server`),
  resource("streams", `${site}-streams`),
];
const WATCHER: StateResource = resource("watcher", "watcher");
const STAYS_OF_SITE = ["oslo-identity", "oslo", "oslo-link", "oslo-streams"];

describe("the state without the machine of a site", () => {
  const kept = (state: Deployment, site = "oslo"): string[] =>
    (withoutMachineOf(state, site).deployment?.resources ?? []).map(nameOf);

  it("has no more of the site than what lies with the hub, and what stands for it", () => {
    const state = stateOf(resource("fleet", "fleet"), ...engineOf("far"), ...siteOf("oslo", "far"));
    assert.deepEqual(kept(state), ["fleet", ...STAYS_OF_SITE]);
  });

  it("has all of the other sites, on other engines, on none, and of names that begin alike", () => {
    const others = [...engineOf("docker"), ...siteOf("bergen", "docker"), ...siteOf("oslo-2", "docker")];
    const processes = [resource("leaf", "narvik"), resource("server", "narvik-server")];
    const state = stateOf(...others, ...processes, ...engineOf("far"), ...siteOf("oslo", "far"));
    assert.deepEqual(kept(state), [...[...others, ...processes].map(nameOf), ...STAYS_OF_SITE]);
  });

  it("keeps what the machine's other servers share: they would not be found again without it", () => {
    const shared = [...engineOf("far"), ...siteOf("bergen", "far")];
    assert.deepEqual(kept(stateOf(...shared, ...siteOf("oslo", "far"))), [...shared.map(nameOf), ...STAYS_OF_SITE]);
  });

  it("lets go of what they shared with the last of them", () => {
    const both = stateOf(...engineOf("far"), ...siteOf("bergen", "far"), ...siteOf("oslo", "far"));
    const names = kept(withoutMachineOf(both, "bergen"));
    assert.deepEqual(
      names.filter((name) => name.startsWith("far")),
      [],
    );
  });

  it("has no watcher that ran there, which nobody forgets by name, and keeps one that runs elsewhere", () => {
    const watcher = [resource("volume", "watcher-data", by("far")), container("watcher", "far"), WATCHER];
    const all = [...engineOf("far"), ...siteOf("oslo", "far"), resource("image", "far-watcher-image", by("far"))];
    assert.deepEqual(kept(stateOf(...all, ...watcher)), STAYS_OF_SITE);
    const elsewhere = [...engineOf("docker"), container("watcher", "docker"), WATCHER];
    assert.deepEqual(kept(stateOf(...elsewhere, ...all)), [...elsewhere.map(nameOf), ...STAYS_OF_SITE]);
  });

  it("has nothing that refers to what went", () => {
    const [server, link] = [urnOf("server", "oslo-server"), urnOf("link", "oslo-link")];
    const streams = {
      ...resource("streams", "oslo-streams"),
      dependencies: [server, link],
      propertyDependencies: { access: [urnOf("container", "oslo-container")], site: [link], streams: null },
    };
    const state = stateOf(...engineOf("far"), ...siteOf("oslo", "far").slice(0, -1), streams);
    const found = withoutMachineOf(state, "oslo").deployment?.resources?.find(({ urn }) => urn === streams.urn);
    assert.deepEqual(found, {
      ...streams,
      dependencies: [link],
      propertyDependencies: { access: [], site: [link], streams: [] },
    });
  });

  it("has the same of what referred to nothing that went", () => {
    const state = stateOf(resource("fleet", "fleet"), ...engineOf("far"), ...siteOf("oslo", "far"));
    assert.deepEqual(withoutMachineOf(state, "oslo").deployment?.resources?.[0], resource("fleet", "fleet"));
  });

  it("keeps all else that the CLI wrote into it", () => {
    const deployment = { resources: siteOf("oslo", "far"), secrets_providers: { type: "passphrase" } };
    const { version, deployment: rest } = withoutMachineOf({ version: 3, deployment }, "oslo");
    assert.equal(version, 3);
    assert.deepEqual(rest.secrets_providers, { type: "passphrase" });
  });

  it("is the whole state when the site has nothing there", () => {
    const state = stateOf(resource("fleet", "fleet"), ...engineOf("far"), ...siteOf("bergen", "far"));
    assert.deepEqual(withoutMachineOf(state, "oslo"), state);
  });
});

describe("a site that is to be forgotten", () => {
  const engine = withFakeEngine();
  withEnvironment(() => ({ DISCARD: undefined }));
  const away = () => stateOf(...engineOf("far", "unix:///nowhere/docker.sock"), ...siteOf("oslo", "far"));
  const refuses = (state: Deployment, message: string, declared: string[] = ["bergen"]) =>
    assert.rejects(refuseForgetting(state, "oslo", declared), { name: "Refusal", message });

  it("is refused while the settings have it, and no engine is asked", async () => {
    const state = stateOf(...engineOf("far", engine.url), ...siteOf("oslo", "far"));
    await refuses(state, "site oslo cannot be forgotten: the settings still have it; take it out of 'sites' first", [
      "oslo",
    ]);
    assert.deepEqual(engine.asked, []);
  });

  it("is refused when the stack has no such site in Docker", async () => {
    const message = "site oslo cannot be forgotten: the stack has no such site in Docker";
    await refuses({}, message);
    await refuses(stateOf(...engineOf("far"), resource("leaf", "oslo")), message);
  });

  it("is refused when it is a process: it is removed in good order", async () => {
    const state = stateOf(resource("link", "oslo-link"), resource("server", "oslo-server"));
    await refuses(state, "site oslo cannot be forgotten: its machine answers; remove the site with 'make up'");
  });

  it("is refused while its machine answers, though another one is away", async () => {
    const others = [...engineOf("lost", "unix:///nowhere/docker.sock"), ...siteOf("bergen", "lost")];
    const state = stateOf(...others, ...engineOf("far", engine.url), ...siteOf("oslo", "far"));
    await refuses(state, "site oslo cannot be forgotten: its machine answers; remove the site with 'make up'");
  });

  it("is refused while the loss of what it has not delivered is not allowed, or that of another site is", async () => {
    const message =
      "site oslo cannot be forgotten: what it has not delivered would be lost with it; allow that with DISCARD=oslo";
    await refuses(away(), message);
    process.env.DISCARD = "bergen";
    await refuses(away(), message);
  });

  it("is let go when its machine is away and its loss is allowed", async () => {
    process.env.DISCARD = "oslo";
    await refuseForgetting(away(), "oslo", ["bergen"]);
  });
});

describe("the servers of a hub whose machines are lost", () => {
  const engine = withFakeEngine();
  const [NOWHERE, LINKS] = ["unix:///nowhere/docker.sock", { tls: "generated" as const }];
  const wanted = settingsOf({ hub: spread("a", "b", "c"), links: LINKS });
  const there = (third: string): Deployment =>
    stateOf(
      ...["a", "b"].flatMap((name, i) => [
        provider(name, `ssh://edge@${name}.example`),
        container(`hub-${i + 1}`, name),
      ]),
      provider("third", third),
      container("hub-3", "third"),
    );

  it("are those that the settings have elsewhere now, while their engines cannot be reached", async () => {
    const asked = there(NOWHERE);
    const resources = (asked.deployment?.resources ?? []).slice(4);
    assert.deepEqual(await lostOfHub(stateOf(...resources), wanted), ["hub-3"]);
  });

  it("are none while the engine answers: it moves", async () => {
    engine.containers.set("nats-dev-hub-3", { id: "hub-3-container-id" });
    const resources = (there(engine.url).deployment?.resources ?? []).slice(4);
    assert.deepEqual(await lostOfHub(stateOf(...resources), wanted), []);
  });

  it("are none where the settings have not changed, and of a hub on one machine: nothing is asked", async () => {
    assert.deepEqual(await lostOfHub(there("ssh://edge@c.example"), wanted), []);
    assert.deepEqual(await lostOfHub(there(NOWHERE), settingsOf({ hub: { servers: 3 } })), []);
    assert.deepEqual(engine.asked, []);
  });
});
