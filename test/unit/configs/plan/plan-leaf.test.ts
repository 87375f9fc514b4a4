import assert from "node:assert/strict";
import { applicationPermissions } from "../../../../configs/permissions";
import { LeafDeclaration, planLeaf } from "../../../../configs/plan/plan-leaf";
import { render } from "../../../../configs/format/render";
import { LeafRemotes } from "../../../../configs/server-config";
import { newSeed } from "../../../support/rules/settings";

const LEAF: LeafDeclaration = {
  restart: {
    name: "oslo-2",
    host: "127.0.0.1",
    ports: { client: 4223, monitor: 8223 },
    syncInterval: 10_000,
    reconnect: 100,
    logs: { sizeLimit: 1000, keep: 3 },
  },
  reload: {
    hubUrl: "nats-leaf://10.0.0.7:7422",
    limits: { maxFile: 5_000, maxMemory: 600 },
    maxPayload: 1024,
    ownedStreams: ["EVENTS", "LOGS_OSLO_2"],
    keys: { system: "U-SYSTEM", operator: "U-OPERATOR", application: "U-APPLICATION" },
  },
};
const SEED = newSeed();
const config = planLeaf(LEAF, SEED, { store: "/data/store", log: "/data/log" });

describe("a site's configuration", () => {
  it("is this", () => {
    assert.deepEqual(config, {
      server_name: "oslo-2",
      listen: "127.0.0.1:4223",
      http: "127.0.0.1:8223",
      max_payload: 1024,
      log_file: "/data/log",
      logfile_size_limit: 1000,
      logfile_max_num: 3,
      reconnect_error_reports: 3600,
      jetstream: {
        store_dir: "/data/store",
        domain: "oslo-2",
        max_memory_store: 600,
        max_file_store: 5_000,
        sync_interval: "10s",
      },
      leafnodes: {
        reconnect: "100ms",
        remotes: [{ urls: ["nats-leaf://10.0.0.7:7422"], account: "OSLO_2", nkey: SEED }],
      },
      accounts: {
        SYS: { users: [{ nkey: "U-SYSTEM" }] },
        OSLO_2: {
          jetstream: { max_mem: 600, max_file: 5_000 },
          users: [
            {
              nkey: "U-APPLICATION",
              permissions: applicationPermissions("oslo-2", ["EVENTS", "LOGS_OSLO_2"]),
            },
            { nkey: "U-OPERATOR" },
          ],
        },
      },
      system_account: "SYS",
    });
  });

  it("binds its link to an account that it has: without one it would land in the global account", () => {
    const [remote] = (config.leafnodes as LeafRemotes).remotes;
    assert.ok(Object.hasOwn(config.accounts, remote!.account));
  });

  it("does not bridge the system account over the link", () => {
    assert.deepEqual(
      (config.leafnodes as LeafRemotes).remotes.map(({ account }) => account),
      ["OSLO_2"],
    );
  });

  it("holds the seed of the link in the field of the nkey, and nowhere else", () => {
    const text = render(config);
    assert.equal(text.split(SEED).length, 2);
    assert.ok(text.includes(`nkey: "${SEED}"`));
  });

  for (const word of ["credentials", "authorization", "no_auth_user", "password"]) {
    it(`holds no ${word} when rendered`, () => {
      assert.ok(!render(config).includes(word));
    });
  }
});

describe("a site's configuration with TLS", () => {
  const reload = { ...LEAF.reload, hubUrl: "tls://10.0.0.7:7422", tls: true as const };
  const withTls = planLeaf({ ...LEAF, reload }, SEED, { store: "/data/store", log: "/data/log" });

  it("has its link show the site's certificate, and verify the hub's by the CA", () => {
    assert.deepEqual((withTls.leafnodes as LeafRemotes).remotes, [
      {
        urls: ["tls://10.0.0.7:7422"],
        account: "OSLO_2",
        nkey: SEED,
        tls: { ca_file: "ca.pem", cert_file: "link.pem", key_file: "link.pem" },
      },
    ]);
  });

  it("verifies nobody who comes to it: that is for a listener", () => {
    assert.doesNotMatch(render(withTls), /verify/);
  });

  it("is the same as without it but for its link", () => {
    const { leafnodes: _with, ...rest } = withTls;
    const { leafnodes: _without, ...plain } = config;
    assert.deepEqual(rest, plain);
  });

  it("holds no block of TLS without it", () => {
    assert.doesNotMatch(render(config), /tls|\.pem/);
  });
});

describe("the configuration of a site that is reached through the hub", () => {
  const reload = { ...LEAF.reload, throughHub: true as const };
  const { accounts } = planLeaf({ ...LEAF, reload }, SEED, { store: "/data/store", log: "/data/log" });
  const REQUESTS = ["PING.VARZ", "*.VARZ", "*.LEAFZ", "*.JSZ", "*.HEALTHZ", "*.RELOAD"];

  it("exports from its system account what this program asks, to the site's account alone", () => {
    assert.deepEqual(
      accounts.SYS?.exports,
      REQUESTS.map((request) => ({ service: `$SYS.REQ.SERVER.${request}`, accounts: ["OSLO_2"] })),
    );
  });

  it("imports that under a name of its own", () => {
    assert.deepEqual(
      accounts.OSLO_2?.imports,
      REQUESTS.map((request) => ({
        service: { account: "SYS", subject: `$SYS.REQ.SERVER.${request}` },
        to: `_site.oslo-2.${request}`,
      })),
    );
  });

  it("has nothing of it when the site is reached directly", () => {
    assert.deepEqual([config.accounts.SYS?.exports, config.accounts.OSLO_2?.imports], [undefined, undefined]);
  });
});
