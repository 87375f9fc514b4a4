import { siteApi } from "../../../configs/streams";
import { Row } from "./catalogue";
import {
  editHubStream,
  forbid,
  linked,
  linkUser,
  misconfigure,
  misconfigureHub,
  misconfigureOslo,
  oslo,
  remoteOf,
  takeLinkUser,
  unimport,
} from "./mistakes";
import { restartWith, stopServer } from "../fleets/servers";
import { newSeed } from "../rules/settings";

/** Two independent mistakes at once, at one site: both are named, and nothing that only follows from them. */

export const PAIR_ROWS: Row[] = [
  {
    name: "both: a seed in 'credentials', and no account in the remote",
    make: (fleet) =>
      restartWith(oslo(fleet).folder, (text) =>
        text.replace('nkey: "SU', 'credentials: "SU').replace(/^.*account: "?OSLO"?.*$/m, ""),
      ),
    finds: ["oslo: seed-in-credentials", "oslo: wrong-account-at-site"],
    evidence: {
      "seed-in-credentials": /credentials holds a seed/,
      "wrong-account-at-site": /account in the remote: none/,
    },
  },
  {
    name: "both: another key, and another JetStream domain",
    make: (fleet) =>
      misconfigure(oslo(fleet), (config) => {
        remoteOf(config).nkey = newSeed();
        config.jetstream.domain = "trondheim";
      }),
    finds: ["oslo: wrong-domain", "oslo: wrong-key"],
    evidence: { "wrong-domain": /site 'trondheim'/, "wrong-key": /its remote has key/ },
  },
  {
    name: "both: a key in the wrong account of the hub, and no account in the remote",
    make: async (fleet) => {
      await misconfigureHub(fleet, (config) => config.accounts.HUB!.users.push(takeLinkUser(config, "OSLO")));
      await misconfigureOslo(fleet, (config) => delete (remoteOf(config) as { account?: string }).account);
    },
    finds: ["oslo: wrong-account-at-site", "oslo: wrong-account-on-hub"],
    evidence: { "wrong-account-at-site": /\$G/, "wrong-account-on-hub": /oslo -> HUB/ },
  },
  {
    name: "both: the site is down, and the hub lacks its stream",
    make: async (fleet) => {
      await stopServer(oslo(fleet).folder);
      await (await fleet.atHub("oslo")).deleteStream("EVENTS");
    },
    finds: ["oslo: site-down", "oslo: stream-missing-on-hub"],
    evidence: { "site-down": /REFUSED/, "stream-missing-on-hub": /not found/ },
  },
  {
    name: "both: the wrong port, and a source deleted by hand",
    make: async (fleet) => {
      await editHubStream(fleet, (config) => (config.sources = []));
      await misconfigure(oslo(fleet), (config) => (remoteOf(config).urls = ["nats-leaf://127.0.0.1:1"]));
    },
    finds: ["oslo: link-down", "oslo: source-missing"],
    evidence: { "link-down": /127\.0\.0\.1:1/, "source-missing": /name no stream/ },
  },
  {
    name: "both: requests that the link must not carry, and no stream at the site",
    make: async (fleet) => {
      await (await fleet.atSite("oslo")).deleteStream("EVENTS");
      await misconfigureHub(fleet, forbid("subscribe", "$JS.oslo.API.CONSUMER.>"));
    },
    finds: ["oslo: requests-blocked", "oslo: stream-missing-at-site"],
    evidence: { "requests-blocked": /CONSUMER\.CREATE/, "stream-missing-at-site": /not found/ },
  },
  {
    name: "both: a hub stream with the site's subjects, and a misspelt stream in its source; the link is denied as well",
    make: async (fleet) => {
      await misconfigureOslo(fleet, (config) => (remoteOf(config).deny_imports = ["$JS.FC.>"]));
      await editHubStream(fleet, (config) => {
        config.sources![0]!.name = "EVENT";
        config.subjects = ["events.>"];
      });
    },
    finds: ["oslo: hub-stream-altered", "oslo: remote-denies", "oslo: source-wrong-stream"],
    evidence: {
      "hub-stream-altered": /subjects is events\.>/,
      "source-wrong-stream": /'EVENT'/,
      "remote-denies": /FC/,
    },
  },
  {
    name: "both: a smaller max_payload on the hub, and deny_imports in the remote",
    make: async (fleet) => {
      await misconfigureHub(fleet, (config) => (config.max_payload = 65_536));
      await misconfigureOslo(fleet, (config) => (remoteOf(config).deny_imports = ["$JS.oslo.API.>"]));
    },
    finds: ["bergen: payload-limits", "oslo: payload-limits", "oslo: remote-denies"],
    evidence: { "payload-limits": /hub 65536/, "remote-denies": /deny_imports/ },
  },
  {
    name: "both: JetStream off in the hub's account, and deny_exports in the remote",
    make: async (fleet) => {
      await misconfigureHub(fleet, ({ accounts }) => delete accounts.OSLO!.jetstream);
      await misconfigureOslo(fleet, (config) => (remoteOf(config).deny_exports = ["$JSC.>"]));
    },
    finds: ["oslo: jetstream-off", "oslo: remote-denies"],
    evidence: { "jetstream-off": /account OSLO/, "remote-denies": /deny_exports/ },
  },
  {
    name: "both: a missing import, and a source that asks the wrong domain",
    modes: ["merged"],
    make: async (fleet) => {
      await misconfigureHub(fleet, unimport("$JS.FC.EVENTS_OSLO."));
      await editHubStream(fleet, (config) => {
        const source = config.sources!.find(({ name }) => name === "EVENTS_OSLO")!;
        (source.external as { api: string }).api = siteApi("trondheim");
      });
    },
    finds: ["bergen: hub-stream-altered", "oslo: export-missing", "oslo: hub-stream-altered", "oslo: source-missing"],
    evidence: {
      "export-missing": /does not import/,
      "source-missing": /name no stream of the site/,
      "hub-stream-altered": /EVENTS_OSLO at \$JS\.trondheim\.API, which is not declared/,
    },
  },
  {
    name: "both: flow control that the link must not carry, and a link that carries all the rest",
    make: async (fleet) => {
      await misconfigureHub(fleet, ({ accounts }) => {
        linkUser(accounts.OSLO!).permissions = { subscribe: { deny: ["$JS.FC.>"] } };
      });
      await linked(fleet, "oslo");
    },
    finds: ["oslo: flow-control-blocked", "oslo: isolation-broken"],
    evidence: { "flow-control-blocked": /nothing of \$JS\.FC|10228|of 28 probes/, "isolation-broken": /answered/ },
  },
];
