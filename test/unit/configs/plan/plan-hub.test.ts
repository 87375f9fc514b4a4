import assert from "node:assert/strict";
import { PROBE_ROOM } from "../../../../configs/plan/limits";
import { HubDeclaration, HubLinkDeclaration, planHub, reservationsOf } from "../../../../configs/plan/plan-hub";
import { syncText } from "../../../../configs/plan/plan-server";
import { linkPermissions, readerPermissions } from "../../../../configs/permissions";
import { render } from "../../../../configs/format/render";
import { AccountConfig, ServerConfig } from "../../../../configs/server-config";

const HUB: HubDeclaration = {
  restart: {
    name: "hub",
    host: "10.0.0.7",
    ports: { client: 4222, leafnodes: 7422, monitor: 8222 },
    syncInterval: "always",
    logs: { sizeLimit: 1000, keep: 3 },
  },
  reload: {
    limits: { maxFile: 10_000, maxMemory: 2_000 },
    maxPayload: 1024,
    merged: { maxFile: 300, maxMemory: 40 },
    keys: { system: "U-SYSTEM", operator: "U-HUB-OPERATOR", reader: "U-HUB-READER" },
  },
};
const PATHS = { store: "/data/store", log: "/data/log" };
const link = (site: string, more: Partial<HubLinkDeclaration> = {}): HubLinkDeclaration => ({
  site,
  keys: { link: `U-${site}-LINK`, operator: `U-${site}-OPERATOR`, reader: `U-${site}-READER` },
  rotation: 0,
  limits: { maxFile: 500, maxMemory: 60 },
  merged: [],
  ...more,
});
const plan = (...links: HubLinkDeclaration[]): ServerConfig => planHub(HUB, links, PATHS);
const leafUsers = ({ users }: AccountConfig) => users.filter((user) => user.allowed_connection_types !== undefined);

const OSLO = link("oslo");
const BERGEN = link("bergen", { merged: ["LOGS_BERGEN"] });

describe("the hub's configuration", () => {
  it("is this for a hub without sites", () => {
    assert.deepEqual(plan(), {
      server_name: "hub",
      listen: "10.0.0.7:4222",
      http: "127.0.0.1:8222",
      max_payload: 1024,
      log_file: "/data/log",
      logfile_size_limit: 1000,
      logfile_max_num: 3,
      jetstream: {
        store_dir: "/data/store",
        domain: "hub",
        max_memory_store: 2_000,
        max_file_store: 10_000,
        sync_interval: "always",
      },
      leafnodes: { listen: "10.0.0.7:7422", no_advertise: true },
      accounts: {
        SYS: { users: [{ nkey: "U-SYSTEM" }] },
        HUB: {
          jetstream: { max_mem: 40, max_file: 300 },
          users: [{ nkey: "U-HUB-OPERATOR" }, { nkey: "U-HUB-READER", permissions: readerPermissions() }],
        },
      },
      system_account: "SYS",
    });
  });

  it("gives a site an account of its own with link, operator and reader", () => {
    assert.deepEqual(plan(OSLO).accounts.OSLO, {
      jetstream: { max_mem: 60, max_file: 500 },
      users: [
        { nkey: "U-oslo-LINK", allowed_connection_types: ["LEAFNODE"], permissions: linkPermissions("oslo", false) },
        { nkey: "U-oslo-OPERATOR" },
        { nkey: "U-oslo-READER", permissions: readerPermissions() },
      ],
    });
  });

  it("monitors on the loopback address, wherever the hub listens", () => {
    assert.equal(plan().http, "127.0.0.1:8222");
  });

  it("lets a link key in by a leaf link only, in both modes", () => {
    const { OSLO: perSite, BERGEN: merged } = plan(OSLO, BERGEN).accounts;
    for (const account of [perSite!, merged!]) {
      assert.deepEqual(account.users[0]!.allowed_connection_types, ["LEAFNODE"]);
    }
  });

  it("gives a merged site's link key the rights of that mode", () => {
    assert.deepEqual(plan(BERGEN).accounts.BERGEN!.users[0]!.permissions, linkPermissions("bergen", true));
  });

  it("exports nothing of a site that is collected by site", () => {
    assert.equal(plan(OSLO).accounts.OSLO!.exports, undefined);
    assert.equal(plan(OSLO).accounts.HUB!.imports, undefined);
  });

  it("exports to HUB what sourcing into a merged stream needs, and nothing else", () => {
    assert.deepEqual(plan(BERGEN).accounts.BERGEN!.exports, [
      { service: "$JS.bergen.API.CONSUMER.>", response_type: "stream", accounts: ["HUB"] },
      { service: "$JS.FC.LOGS_BERGEN.>", accounts: ["HUB"] },
      { service: "$JS.FC.bergen.*.LOGS_BERGEN.>", accounts: ["HUB"] },
      { service: "$JS.FC.LOGS_BERGEN_PROBE.>", accounts: ["HUB"] },
      { service: "$JS.FC.bergen.*.LOGS_BERGEN_PROBE.>", accounts: ["HUB"] },
      { stream: "_source.bergen.>", accounts: ["HUB"] },
    ]);
  });

  it("imports into HUB exactly what the sites export", () => {
    const { HUB: hub, ...others } = plan(OSLO, BERGEN, link("tromso", { merged: ["A_TROMSO", "B_TROMSO"] })).accounts;
    const exported = Object.entries(others).flatMap(([account, { exports = [] }]) =>
      exports.map((given) =>
        "service" in given
          ? { service: { account, subject: given.service } }
          : { stream: { account, subject: given.stream } },
      ),
    );
    assert.deepEqual(hub!.imports, exported);
  });

  it("names the importer in every export: without it any account could import", () => {
    const accounts = Object.values(plan(OSLO, BERGEN, link("tromso", { merged: ["A", "B"] })).accounts);
    for (const given of accounts.flatMap(({ exports = [] }) => exports)) assert.deepEqual(given.accounts, ["HUB"]);
  });

  it("does not depend on the order in which the sites were declared", () => {
    assert.equal(render(plan(OSLO, BERGEN)), render(plan(BERGEN, OSLO)));
  });

  it("keeps a site's account as it is when another site comes", () => {
    assert.deepEqual(plan(OSLO, BERGEN).accounts.OSLO, plan(OSLO).accounts.OSLO);
  });

  it("writes a sync interval as a duration", () => {
    assert.equal(syncText("always"), "always");
    assert.equal(syncText(10_000), "10s");
  });

  it("keeps 16 MiB free for probes", () => {
    assert.equal(PROBE_ROOM, 16_777_216);
  });
});

describe("the hub's configuration with TLS", () => {
  const withTls = planHub({ ...HUB, restart: { ...HUB.restart, tls: true } }, [OSLO, BERGEN], PATHS);

  it("has the sites' certificates verified by its own CA", () => {
    assert.deepEqual(withTls.leafnodes, {
      listen: "10.0.0.7:7422",
      no_advertise: true,
      tls: { ca_file: "ca.pem", cert_file: "link.pem", key_file: "link.pem", verify: true },
    });
  });

  it("is the same as without it but for its leafnode listener", () => {
    const { leafnodes: _with, ...rest } = withTls;
    const { leafnodes: _without, ...plain } = plan(OSLO, BERGEN);
    assert.deepEqual(rest, plain);
  });

  it("holds no block of TLS without it", () => {
    assert.doesNotMatch(render(plan(OSLO, BERGEN)), /tls|\.pem/);
  });
});

describe("the hub's configuration during a rotation", () => {
  const keys = OSLO.keys;
  const old = link("oslo", { rotation: 1, keys: { ...keys, link: "U-OLD" } });
  const next = link("oslo", { rotation: 2, keys: { ...keys, link: "U-NEW" }, limits: { maxFile: 900, maxMemory: 90 } });

  it("lets both link keys in, each with the rights of a link", () => {
    const users = leafUsers(plan(old, next).accounts.OSLO!);
    assert.deepEqual(
      users.map(({ nkey }) => nkey),
      ["U-OLD", "U-NEW"],
    );
    for (const { permissions } of users) assert.deepEqual(permissions, linkPermissions("oslo", false));
  });

  it("takes all else from the declaration that came last, whatever its rotation", () => {
    for (const rotation of [0, 1, 2]) {
      assert.deepEqual(plan(old, { ...next, rotation }).accounts.OSLO!.jetstream, { max_mem: 90, max_file: 900 });
    }
  });

  it("has the site's account, exports and imports once", () => {
    const merged = ["LOGS_OSLO"];
    const { accounts } = plan({ ...old, merged }, { ...next, merged });
    assert.deepEqual(Object.keys(accounts), ["SYS", "HUB", "OSLO"]);
    assert.equal(accounts.OSLO!.exports!.length, 6);
    assert.equal(accounts.HUB!.imports!.length, 6);
  });
});

describe("the account that is kept for the data of a removed site", () => {
  const kept = link("oslo", { keys: { operator: "U-oslo-OPERATOR", reader: "U-oslo-READER" } });
  const account = plan(kept, BERGEN).accounts.OSLO!;

  it("lets no leaf in", () => {
    assert.deepEqual(leafUsers(account), []);
  });

  it("still lets operator and reader in", () => {
    assert.deepEqual(
      account.users.map(({ nkey }) => nkey),
      ["U-oslo-OPERATOR", "U-oslo-READER"],
    );
  });

  it("keeps its limits", () => {
    assert.deepEqual(account.jetstream, { max_mem: 60, max_file: 500 });
  });
});

describe("what the hub's accounts may store", () => {
  it("counts a rotating site once, and a removed one whose data is kept", () => {
    const rotated = link("oslo", { rotation: 1, limits: { maxFile: 900, maxMemory: 90 } });
    const kept = link("bergen", { keys: { operator: "U-bergen-OPERATOR", reader: "U-bergen-READER" } });
    assert.deepEqual(reservationsOf(HUB, [OSLO, rotated, kept]), [
      { owner: "merged streams", limits: { maxFile: 300, maxMemory: 40 } },
      { owner: "oslo", limits: { maxFile: 900, maxMemory: 90 } },
      { owner: "bergen, which was removed and whose data is kept", limits: { maxFile: 500, maxMemory: 60 } },
    ]);
  });

  it("is what its configuration gives them", () => {
    const accounts = Object.values(plan(OSLO, BERGEN).accounts);
    const inConfig = accounts.reduce((sum, { jetstream }) => sum + (jetstream?.max_file ?? 0), 0);
    const reserved = reservationsOf(HUB, [OSLO, BERGEN]).reduce((sum, { limits }) => sum + limits.maxFile, 0);
    assert.equal(reserved, inConfig);
  });
});

describe("what the hub holds besides what is declared", () => {
  const held = {
    limits: { OSLO: { maxFile: 800, maxMemory: 0 }, HUB: { maxFile: 100, maxMemory: 90 } },
    merged: { oslo: ["LOGS_OSLO"] },
  };
  const { OSLO: oslo, HUB: hub } = planHub(HUB, [OSLO], PATHS, held).accounts;

  it("gives no account less room than it holds, and none less than declared", () => {
    assert.deepEqual(
      [oslo?.jetstream, hub?.jetstream],
      [
        { max_mem: 60, max_file: 800 },
        { max_mem: 90, max_file: 300 },
      ],
    );
    assert.deepEqual(
      reservationsOf(HUB, [OSLO], held).map(({ limits }) => limits.maxFile),
      [300, 800],
    );
  });

  it("lets a stream through that is still sourced, as if it were declared", () => {
    const declared = planHub(HUB, [link("oslo", { merged: ["LOGS_OSLO"] })], PATHS).accounts;
    assert.deepEqual([oslo?.exports, hub?.imports], [declared.OSLO?.exports, declared.HUB?.imports]);
    assert.deepEqual(oslo?.users, declared.OSLO?.users);
  });
});

describe("the hub's configuration as text", () => {
  const text = render(plan(OSLO, BERGEN));
  for (const word of ["credentials", "authorization", "no_auth_user", "password", "remotes"]) {
    it(`holds no ${word}`, () => {
      assert.ok(!text.includes(word));
    });
  }

  it("holds no seed", () => {
    assert.doesNotMatch(text, /S[UAO][A-Z2-7]{20}/);
  });
});

describe("the hub's configuration with a watcher", () => {
  const watched = (...links: HubLinkDeclaration[]): ServerConfig => {
    const watch = { key: "U-WATCH", perSite: ["EVENTS"], merged: ["LOGS"] };
    return planHub({ ...HUB, reload: { ...HUB.reload, watch } }, links, PATHS);
  };
  const only = { accounts: ["_WATCH"] };
  const services = (stream: string) =>
    ["INFO", "UPDATE"].map((request) => ({ service: `$JS.API.STREAM.${request}.${stream}`, ...only }));

  it("lets the watcher's account alone import the links, and information and configuration of the streams", () => {
    const { accounts } = watched(OSLO);
    assert.deepEqual(accounts.OSLO?.exports, services("EVENTS"));
    assert.deepEqual(accounts.HUB?.exports, services("LOGS"));
    assert.deepEqual(accounts.SYS?.exports, [
      { service: "$SYS.REQ.SERVER.PING.LEAFZ", ...only },
      { stream: "$SYS.ACCOUNT.*.CONNECT", ...only },
      { stream: "$SYS.ACCOUNT.*.DISCONNECT", ...only },
    ]);
    const imported = (accounts._WATCH?.imports ?? []).map((one) =>
      "service" in one ? `${one.service.account} ${one.to ?? one.service.subject}` : `${one.stream.account}`,
    );
    assert.deepEqual(imported, [
      "SYS $SYS.REQ.SERVER.PING.LEAFZ",
      "SYS",
      "SYS",
      "OSLO _watch.OSLO.STREAM.INFO.EVENTS",
      "OSLO _watch.OSLO.STREAM.UPDATE.EVENTS",
      "HUB _watch.HUB.STREAM.INFO.LOGS",
      "HUB _watch.HUB.STREAM.UPDATE.LOGS",
    ]);
  });

  it("keeps what a merged stream's account exports, and gives the key no leaf link", () => {
    const { accounts } = watched(BERGEN);
    const plain = plan(BERGEN).accounts.BERGEN?.exports ?? [];
    assert.deepEqual(accounts.BERGEN?.exports, [...plain, ...services("EVENTS")]);
    assert.deepEqual(accounts._WATCH?.users[0]?.allowed_connection_types, ["STANDARD"]);
  });

  it("does not watch the account of a removed site", () => {
    const { operator, reader } = OSLO.keys;
    assert.equal(watched(link("oslo", { keys: { operator, reader } })).accounts.OSLO?.exports, undefined);
  });

  it("is the same in everything else", () => {
    const without = ({ accounts }: ServerConfig) =>
      Object.fromEntries(
        Object.entries(accounts).flatMap(([name, { exports: _, ...account }]) =>
          name === "_WATCH" ? [] : [[name, account]],
        ),
      );
    assert.deepEqual(without(watched(OSLO, BERGEN)), without(plan(OSLO, BERGEN)));
    assert.deepEqual({ ...watched(OSLO), accounts: {} }, { ...plan(OSLO), accounts: {} });
  });
});
