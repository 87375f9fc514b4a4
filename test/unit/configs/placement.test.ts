import assert from "node:assert/strict";
import {
  Placement,
  dialedHub,
  isElsewhere,
  linkNames,
  linkSecurity,
  placementOf,
  reachedAt,
  sharesNetwork,
  staysOnMachine,
} from "../../../configs/placement";
import { RawSettings } from "../../../configs/settings";
import { settingsOf } from "../../support/rules/settings";

type Hub = NonNullable<RawSettings["hub"]>;
type Site = Omit<NonNullable<RawSettings["sites"]>[number], "name">;

const DOCKER = { runtime: "docker" } as const;
const FAR = { runtime: "docker", engine: "ssh://edge@oslo.example" } as const;
const SOCKET = { runtime: "docker", engine: "unix:///run/other.sock" } as const;

/** A hub, one site, and the settings that they are of. */
function fleetOf(site: Site, hub: Hub = {}, more: RawSettings = {}) {
  const settings = settingsOf({ ...more, hub, sites: [{ name: "oslo", ...site }] });
  const [oslo] = settings.sites;
  return { settings, oslo: oslo! };
}

describe("where a server runs", () => {
  const ofSite = (...fleet: Parameters<typeof fleetOf>): Placement => {
    const { settings, oslo } = fleetOf(...fleet);
    return placementOf(settings, oslo);
  };
  const ofHub = (hub: Hub, more: RawSettings = {}): Placement => {
    const { settings } = fleetOf({}, hub, more);
    return placementOf(settings, settings.hub);
  };
  const bridge = (engine = ""): Placement => ({ kind: "docker", engine, network: "bridge" });

  it("is what the stack's runtime says", () => {
    assert.deepEqual([ofHub({}), ofSite({})], [{ kind: "process" }, { kind: "process" }]);
    assert.deepEqual([ofHub({}, DOCKER), ofSite({}, {}, DOCKER)], [bridge(), bridge()]);
  });

  it("is what its own runtime says, before the stack's", () => {
    const process = { runtime: "process" } as const;
    assert.deepEqual([ofHub(process, DOCKER), ofSite(process, {}, DOCKER)], [{ kind: "process" }, { kind: "process" }]);
    assert.deepEqual(ofHub(DOCKER), bridge());
  });

  it("is the engine that it names, and without one that of this machine", () => {
    assert.deepEqual([ofHub(FAR), ofSite(FAR, DOCKER)], [bridge(FAR.engine), bridge(FAR.engine)]);
    assert.deepEqual(ofSite(DOCKER, DOCKER), bridge());
  });

  describe("in a container beside a hub that is a process", () => {
    it("is its machine's network: the hub's loopback is reached from no other", () => {
      assert.deepEqual(ofSite(DOCKER), { kind: "docker", engine: "", network: "host" });
      assert.deepEqual(ofSite(SOCKET), { kind: "docker", engine: SOCKET.engine, network: "host" });
    });

    it("is a network of its own when it dials the hub at another address", () => {
      assert.deepEqual(ofSite({ ...DOCKER, hubAddress: "10.0.0.1" }), bridge());
    });

    it("is a network of its own on another machine", () => {
      assert.deepEqual(ofSite(FAR, { address: "10.0.0.1" }), bridge(FAR.engine));
    });
  });
});

describe("another machine", () => {
  it("is one whose engine is reached over a network, not a socket of this one", () => {
    const isFar = (site: Site): boolean => isElsewhere(fleetOf(site).oslo);
    assert.deepEqual([{}, DOCKER, SOCKET, FAR, { engine: "tcp://10.0.0.9:2376" }].map(isFar), [
      ...[false, false, false],
      ...[true, true],
    ]);
  });
});

describe("where a site dials the hub", () => {
  const dialed = (...fleet: Parameters<typeof fleetOf>) => {
    const { settings, oslo } = fleetOf(...fleet);
    return dialedHub(settings, oslo);
  };

  it("is the address that the hub listens on, or the one under which it is reached", () => {
    assert.deepEqual(dialed({}), { host: "127.0.0.1" });
    assert.deepEqual(dialed({}, { host: "0.0.0.0", address: "hub.example" }), { host: "hub.example" });
  });

  it("is the site's own address of the hub, before the hub's, with its port when it has one", () => {
    const hub = { address: "hub.example" };
    assert.deepEqual(dialed({ hubAddress: "nat.example" }, hub), { host: "nat.example" });
    assert.deepEqual(dialed({ hubAddress: "[fd00::1]:7000" }, hub), { host: "fd00::1", port: 7000 });
  });

  it("is the hub's name on their network, and the port inside of its container", () => {
    const ports = { leafnodes: 7000 };
    assert.deepEqual(dialed(DOCKER, { ...DOCKER, name: "centre", ports }), { host: "centre", port: 7422 });
  });

  it("is the hub's address for a container that dials it on purpose", () => {
    assert.deepEqual(dialed({ ...DOCKER, hubAddress: "10.0.0.1:7000" }, DOCKER), { host: "10.0.0.1", port: 7000 });
  });

  it("is the hub's address for a process, and for a container of another machine", () => {
    const hub = { ...DOCKER, address: "hub.example" };
    assert.deepEqual([dialed({}, hub), dialed(FAR, hub)], [{ host: "hub.example" }, { host: "hub.example" }]);
  });
});

describe("the network that a site shares with the hub", () => {
  const isShared = (...fleet: Parameters<typeof fleetOf>): boolean => {
    const { settings, oslo } = fleetOf(...fleet);
    return sharesNetwork(settings, oslo);
  };

  it("is there for two containers of one engine, wherever that is", () => {
    assert.deepEqual([isShared(DOCKER, DOCKER), isShared(FAR, FAR)], [true, true]);
  });

  it("is not there for containers of two engines", () => {
    assert.deepEqual([isShared(FAR, DOCKER), isShared(DOCKER, FAR), isShared(SOCKET, DOCKER)], [false, false, false]);
  });

  it("is not there when one of them is a process", () => {
    assert.deepEqual([isShared({}, {}), isShared(DOCKER, {}), isShared({}, DOCKER)], [false, false, false]);
  });

  it("is not used by a site that dials the hub elsewhere", () => {
    assert.equal(isShared({ ...DOCKER, hubAddress: "10.0.0.1" }, DOCKER), false);
  });
});

describe("a link that stays on one machine", () => {
  const stays = (...fleet: Parameters<typeof fleetOf>): boolean => {
    const { settings, oslo } = fleetOf(...fleet);
    return staysOnMachine(settings, oslo);
  };
  const away = { address: "hub.example" };

  it("is one between servers of this machine, at whatever address the hub is reached", () => {
    assert.deepEqual(
      [stays({}), stays({}, away), stays(DOCKER, away), stays({}, { ...DOCKER, ...away })],
      [...[true, true], ...[true, true]],
    );
  });

  it("is one on a network that the two share, of another machine too", () => {
    assert.equal(stays(FAR, { ...FAR, ...away }), true);
  });

  it("is one that dials loopback", () => {
    assert.equal(stays({ hubAddress: "127.0.0.1:7000" }, away), true);
  });

  it("is none from or to another machine", () => {
    assert.deepEqual([stays(FAR, away), stays({}, { ...FAR, ...away })], [false, false]);
  });

  it("is none when the site dials the hub at an address of its own", () => {
    assert.equal(stays({ hubAddress: "hub.example" }), false);
  });
});

describe("what protects a link", () => {
  const protection = (...fleet: Parameters<typeof fleetOf>): string => {
    const { settings, oslo } = fleetOf(...fleet);
    return linkSecurity(settings, oslo);
  };
  const [hub, links] = [{ host: "192.0.2.10" }, { plaintext: "accepted" } as const];

  it("is TLS, wherever it goes", () => {
    assert.equal(protection({}, hub, { links: { tls: "generated" } }), "tls");
  });

  it("is the machine that it stays on, whether or not the hub listens on its loopback", () => {
    assert.deepEqual([protection({}), protection({}, hub), protection({}, hub, { links })], Array(3).fill("loopback"));
  });

  it("is the stack's own network", () => assert.equal(protection(DOCKER, { ...DOCKER, ...hub }), "bridge"));

  it("is nothing on the way to another machine", () => {
    assert.deepEqual(
      [protection({ ...FAR }, hub, { links }), protection({ hubAddress: "hub.example" })],
      ["plain", "plain"],
    );
  });
});

describe("the names that the hub's certificate must have", () => {
  it("are the hub's own and those that sites dial, each once, in order", () => {
    const settings = settingsOf({
      hub: { ...DOCKER, name: "centre", address: "hub.example" },
      sites: [
        { name: "oslo", ...FAR },
        { name: "bergen", hubAddress: "10.0.0.1:7000" },
        { name: "narvik", ...DOCKER },
        { name: "moss", ...FAR },
      ],
    });
    assert.deepEqual(linkNames(settings), ["10.0.0.1", "centre", "hub.example"]);
  });

  it("are the hub's own without sites", () => {
    assert.deepEqual(linkNames(settingsOf({ hub: { address: "hub.example" } })), ["hub"]);
  });
});

describe("how this program reaches a server", () => {
  it("is at its address, and without one where it listens", () => {
    assert.equal(reachedAt({ host: "0.0.0.0", address: "oslo.example" }), "oslo.example");
    assert.equal(reachedAt({ host: "10.0.0.7" }), "10.0.0.7");
  });
});
