import { spread } from "../../configs/hub-rules.cases";
import assert from "node:assert/strict";
import { RawSettings } from "../../../../configs/settings";
import { refuseMoves, refuseNewImage } from "../../../../fleet/streams/moves";
import { settingsOf } from "../../../support/rules/settings";
import { withFakeEngine } from "../../toolchain/fake-engine";
import { withEnvironment } from "../../providers/temp-folder";

const IN_CONTAINER = { name: "oslo", runtime: "docker" } as const;
const FAR = { runtime: "docker", engine: "ssh://edge@oslo.example" } as const;

describe("an update that would move or rename servers", () => {
  withEnvironment(() => ({ NATS_HUB_LEAF_UPGRADE: undefined, NATS_HUB_LEAF_RESIZE: undefined }));

  const fleetOf = (raw: RawSettings, root = ".fleet/dev") => {
    const { keys: _keys, ...settings } = settingsOf(raw);
    return { root, settings };
  };
  const refused = (olds: RawSettings, news: RawSettings, root?: string): string[] =>
    refuseMoves(fleetOf(olds), fleetOf(news, root)).map(({ property, reason }) => `${property}: ${reason}`);
  const ofSites = (...sites: NonNullable<RawSettings["sites"]>): RawSettings => ({ sites });

  it("is none when nothing changes, of processes and of containers", () => {
    for (const raw of [ofSites({ name: "oslo" }), { runtime: "docker", ...ofSites({ name: "oslo" }) } as const])
      assert.deepEqual(refused(raw, raw), []);
  });

  it("is none when sites come, or go, or get other settings", () => {
    const oslo = { name: "oslo" };
    assert.deepEqual(refused(ofSites(oslo), ofSites(oslo, { name: "bergen" })), []);
    assert.deepEqual(refused(ofSites(oslo, { name: "bergen" }), ofSites(oslo)), []);
    assert.deepEqual(refused(ofSites(oslo), ofSites({ ...oslo, quota: "3GiB", host: "0.0.0.0", rotation: 1 })), []);
  });

  describe("of the links to another TLS while a site leaves", () => {
    const both = [{ name: "oslo" }, { name: "bergen" }];
    const [off, generated] = [{ sites: both }, { sites: both, links: { tls: "generated" } } as const];
    const given = (certificates: string, sites = both) => ({ sites, links: { tls: "given" as const, certificates } });
    const says = /^links: the TLS of all links changes while bergen leaves: .* Remove it with one 'pulumi up'/;

    it("is refused: its link would not come back", () => {
      const without = (raw: RawSettings): RawSettings => ({ ...raw, sites: [{ name: "oslo" }] });
      assert.match(refused(off, without(generated)).join(), says);
      assert.match(refused(generated, without(off)).join(), says);
      assert.match(refused(given("a"), given("b", [{ name: "oslo" }])).join(), says);
    });

    it("is none when the links stay as they are, nobody leaves, or who leaves is offline", () => {
      const gone = [{ name: "oslo" }];
      assert.deepEqual(refused(generated, { ...generated, sites: gone }), []);
      assert.deepEqual(refused(off, generated), []);
      const away = { sites: [{ name: "oslo" }, { name: "bergen", expect: "offline" as const }] };
      assert.deepEqual(refused(away, { ...generated, sites: gone }), []);
    });
  });

  describe("of a server to another place", () => {
    const move = (before: object, after: object) =>
      refused(ofSites({ name: "oslo", ...before }), ofSites({ name: "oslo", ...after }));
    const moves = (from: string, to: string): string[] => [
      `sites: oslo moves from ${from} to ${to}, but what it stores would stay behind; take it out of 'sites' and run ` +
        "'pulumi up' (which waits for its messages), then add it at the new place. What the hub collected stays",
    ];

    it("is refused for a site from a process to a container, and back, with the way to do it", () => {
      const [process, container] = [{}, { runtime: "docker" }];
      assert.deepEqual(move(process, container), moves("a process", "a container on this machine"));
      assert.deepEqual(move(container, process), moves("a container on this machine", "a process"));
    });

    it("is refused for a site to another engine, which is named", () => {
      const there = "a container on ssh://edge@oslo.example";
      assert.deepEqual(move({ runtime: "docker" }, FAR), moves("a container on this machine", there));
      const tcp = { runtime: "docker", engine: "tcp://oslo.example:2376" };
      assert.deepEqual(move(FAR, tcp), moves(there, "a container on tcp://oslo.example:2376"));
    });

    it("is refused for the hub, whose collected data has no other way", () => {
      assert.deepEqual(refused({}, { hub: { runtime: "docker" } }), [
        "hub: moves from a process to a container on this machine, but what it collected would stay behind; " +
          "deploy another stack beside this one, let it collect, then destroy this one",
      ]);
      assert.match(
        refused({ hub: FAR }, { hub: { runtime: "docker" } })[0] ?? "",
        /^hub: moves from a container on ssh/,
      );
    });

    it("is refused for every server that another runtime of the stack moves", () => {
      const sites = [{ name: "oslo" }, { name: "bergen", runtime: "process" as const }, { name: "narvik" }];
      const found = refused({ sites }, { sites, runtime: "docker" });
      assert.deepEqual(
        found.map((line) => line.split(" from ")[0]),
        ["hub: moves", "sites: oslo moves", "sites: narvik moves"],
      );
    });

    it("is none when the runtime is only said in another way", () => {
      assert.deepEqual(move({}, { runtime: "process" }), []);
      const hub = { runtime: "docker" } as const;
      assert.deepEqual(
        refused({ runtime: "docker", ...ofSites({ name: "oslo" }) }, { hub, ...ofSites(IN_CONTAINER) }),
        [],
      );
    });

    it("is none when only the network of a container changes: its volumes stay", () => {
      const hub = { host: "10.0.0.1" };
      const dialing = { ...IN_CONTAINER, hubAddress: "10.0.0.1" };
      assert.deepEqual(refused({ hub, sites: [IN_CONTAINER] }, { hub, sites: [dialing] }), []);
      assert.deepEqual(refused({ hub, sites: [dialing] }, { hub, sites: [IN_CONTAINER] }), []);
    });

    it("is none when the engine stays and only its certificates or addresses are others", () => {
      const engine = { runtime: "docker", engine: "tcp://oslo.example:2376" };
      assert.deepEqual(move(engine, { ...engine, engineCertificates: "certs", address: "10.0.0.9" }), []);
    });
  });

  describe("of a site to another name", () => {
    it("is refused, with the way to do it", () => {
      assert.deepEqual(refused(ofSites({ name: "oslo" }), ofSites({ name: "oslo-2" })), [
        "sites: oslo seems to become oslo-2: a site's name is its server name, JetStream domain and account, and cannot change. " +
          "Add oslo-2 with one 'pulumi up', move the applications, and take oslo out with the next",
      ]);
    });

    it("is known by the settings that both have, whatever else comes and goes", () => {
      const found = refused(
        ofSites({ name: "oslo", quota: "3GiB" }, { name: "bergen" }, { name: "narvik", quota: "4GiB" }),
        ofSites({ name: "tromso", quota: "5GiB" }, { name: "bergen" }, { name: "moss", quota: "3GiB" }),
      );
      assert.deepEqual(
        found.map((line) => line.split(":", 2).join(":")),
        ["sites: oslo seems to become moss"],
      );
    });

    it("is none when one goes and another comes that has other settings", () => {
      assert.deepEqual(refused(ofSites({ name: "oslo" }), ofSites({ name: "bergen", quota: "3GiB" })), []);
    });
  });

  it("is refused for the hub's name, with which the domain of all collected data would change", () => {
    assert.deepEqual(refused({}, { hub: { name: "centre" } }), [
      "hub.name: changes from 'hub' to 'centre', and with it the JetStream domain that holds all collected data; " +
        "destroy the stack first, or deploy another one beside it",
    ]);
  });

  describe("of the hub to another number of servers", () => {
    const [one, three] = [{ sites: [{ name: "oslo" }] }, { sites: [{ name: "oslo" }], hub: { servers: 3 } }];

    it("is refused, with the command that does it", () => {
      assert.match(
        refused(one, three).join(),
        /^hub.servers: changes from 1 to 3, .* would delete them .*'make up' saves/,
      );
      assert.match(
        refused(three, one).join(),
        /^hub.servers: changes from 3 to 1, and the streams .* do not follow\. 'make/,
      );
    });

    it("is refused while a site is offline that dials a port which would change", () => {
      process.env.NATS_HUB_LEAF_RESIZE = "backup";
      const sites = [{ name: "oslo", expect: "offline" as const }];
      assert.match(refused({ sites }, { ...three, sites }).join(), /port that oslo dials, .*hub\.ports\.leafnodes/);
      const ports = { leafnodes: 7422 };
      assert.deepEqual(refused({ sites, hub: { ports } }, { sites, hub: { servers: 3, ports } }), []);
    });

    it("is let through when what the hub holds is saved, but not while a site or a stream leaves", () => {
      process.env.NATS_HUB_LEAF_RESIZE = "backup";
      assert.deepEqual(refused(one, three), []);
      const two = { ...one, sites: [{ name: "oslo" }, { name: "bergen" }] };
      const says = /^hub.servers: changes from 1 to 3 while (site bergen|stream EVENTS) leaves.*one after the other/;
      assert.match(refused(two, three).join(), says);
      const streams = [{ name: "EVENTS", subjects: ["events.>"] }];
      assert.match(refused({ ...one, streams }, three).join(), says);
      assert.match(
        refused({ ...one, streams }, { ...three, streams: [{ ...streams[0]!, collect: { mode: "merged" } }] }).join(),
        says,
      );
    });
  });

  describe("of a server of a hub on machines of its own", () => {
    const hub = (...machines: string[]): RawSettings => ({ hub: spread(...machines), links: { tls: "generated" } });

    it("is let through for one of them: the others fill it", () => {
      assert.deepEqual(refused(hub("a", "b", "c"), hub("a", "b", "d")), []);
      assert.deepEqual(refused(hub("a", "b", "c"), hub("a", "b", "c")), []);
    });

    it("is refused for two at once", () => {
      assert.match(
        refused(hub("a", "b", "c"), hub("a", "d", "e")).join(),
        /^hub.servers: move all at once: hub-2 to a container on ssh:\/\/edge@d.example, hub-3 to .*; .* so move one/,
      );
    });

    it("is refused when their routes change at the same time", () => {
      const together: RawSettings = { hub: { runtime: "docker", servers: 3 } };
      assert.match(refused(together, hub("a", "b", "c")).join(), /^hub.servers: are on machines of their own now/);
      assert.match(
        refused(hub("a", "b", "c"), together).join(),
        /^hub.servers: are on one machine now, .*hub\.servers: 1/s,
      );
    });

    it("is refused where they are on one machine", () => {
      const on = (engine: string): RawSettings => ({ hub: { runtime: "docker", servers: 3, engine } });
      assert.match(refused(on("ssh://a"), on("ssh://b")).join(), /^hub: moves from a container on ssh:\/\/a to/);
    });
  });

  it("is refused for the folder of the data", () => {
    assert.deepEqual(refused({}, {}, "elsewhere/dev"), [
      "dataFolder: changes while servers run in the old folder; destroy the stack first, or deploy another one beside it",
    ]);
  });

  it("is refused with all that is wrong at once", () => {
    const found = refused(
      ofSites({ name: "oslo" }),
      { ...ofSites(IN_CONTAINER), hub: { name: "centre" } },
      "elsewhere/dev",
    );
    assert.deepEqual(
      found.map((line) => line.split(":")[0]),
      ["hub.name", "dataFolder", "sites"],
    );
  });
});

describe("another image of the containers", () => {
  const engine = withFakeEngine();
  withEnvironment(() => ({ NATS_HUB_LEAF_UPGRADE: undefined, DOCKER_HOST: engine.url }));

  const refused = async (olds: RawSettings, news: RawSettings = olds): Promise<string[]> => {
    const fleetOf = (raw: RawSettings, image: string) => ({
      root: ".fleet/dev",
      settings: settingsOf({ ...raw, docker: { image } }),
    });
    const failures = await refuseNewImage(fleetOf(olds, "nats:2.15.2"), fleetOf(news, "nats:2.15.3"));
    return failures.map(({ property, reason }) => `${property}: ${reason}`);
  };
  const hold = (...servers: string[]) => {
    for (const server of servers) engine.containers.set(`nats-dev-${server}`, { id: `${server}-id` });
  };
  const IN_DOCKER: RawSettings = { runtime: "docker", sites: [{ name: "oslo" }, { name: "bergen" }] };

  it("is refused, for it would replace all of them at once, with the way to do it", async () => {
    hold("hub", "oslo", "bergen");
    assert.deepEqual(await refused(IN_DOCKER), [
      "docker.image: changes from nats:2.15.2 to nats:2.15.3, which would replace the containers of hub, oslo, bergen all at the same time; " +
        "'make upgrade' replaces one at a time, the hub first, and goes on when its data flows again",
    ]);
  });

  it("counts the containers only that were there before and still are", async () => {
    hold("oslo", "bergen", "moss");
    const olds: RawSettings = { sites: [IN_CONTAINER, { name: "bergen", runtime: "docker" }] };
    const news: RawSettings = { sites: [IN_CONTAINER, { name: "moss", runtime: "docker" }] };
    assert.match((await refused(olds, news))[0] ?? "", /would replace the containers of oslo all at the same time/);
  });

  it("is let through where all servers are processes, and where all containers are new", async () => {
    const processes: RawSettings = { sites: [{ name: "oslo" }] };
    assert.deepEqual(await refused(processes), []);
    assert.deepEqual(await refused(processes, { sites: [{ name: "oslo" }, { name: "moss", ...FAR }] }), []);
  });

  it("is let through where no container was ever made: its image cannot even be pulled, perhaps", async () => {
    assert.deepEqual(await refused(IN_DOCKER), []);
    hold("hub");
    assert.match((await refused(IN_DOCKER))[0] ?? "", /the containers of hub all at the same time/);
  });

  it("takes a container for one that is there while nobody can ask its engine", async () => {
    engine.refuses = 500;
    assert.match((await refused(IN_DOCKER))[0] ?? "", /the containers of hub, oslo, bergen all at the same time/);
  });

  it("is let through in an upgrade", async () => {
    hold("hub", "oslo", "bergen");
    process.env.NATS_HUB_LEAF_UPGRADE = "1";
    assert.deepEqual(await refused(IN_DOCKER), []);
  });
});
