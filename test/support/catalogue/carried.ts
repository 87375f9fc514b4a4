import { AccountConfig } from "../../../configs/server-config";
import { Row } from "./catalogue";
import { forbid, linkUser, misconfigureHub, misconfigureOslo, remoteOf, unexport, unimport } from "./mistakes";

/** Mistakes in what a link that stands may carry: domains, JetStream, permissions, exports, sizes. */

const BOTH = ["perSite", "merged"] as const;

export const CARRIED_ROWS: Row[] = [
  {
    name: "a site with another JetStream domain",
    modes: BOTH,
    make: (fleet) => misconfigureOslo(fleet, (config) => (config.jetstream.domain = "trondheim")),
    finds: ["oslo: wrong-domain"],
    evidence: { "wrong-domain": /domains: site 'trondheim', hub 'hub'; the hub asks for '\$JS\.oslo\.API'/ },
  },
  {
    name: "a site without a JetStream domain",
    make: (fleet) => misconfigureOslo(fleet, ({ jetstream }) => delete (jetstream as { domain?: string }).domain),
    finds: ["oslo: wrong-domain"],
    evidence: { "wrong-domain": /domains: site '', hub 'hub'/ },
  },
  {
    name: "a site with the JetStream domain of the hub",
    make: (fleet) => misconfigureOslo(fleet, (config) => (config.jetstream.domain = "hub")),
    finds: ["oslo: equal-domains"],
    evidence: { "equal-domains": /domains: site 'hub', hub 'hub'; the hub asks for '\$JS\.oslo\.API'/ },
  },
  {
    name: "JetStream switched off in the site's account on the hub",
    make: (fleet) => misconfigureHub(fleet, ({ accounts }) => delete accounts.OSLO!.jetstream),
    finds: ["oslo: jetstream-off"],
    evidence: { "jetstream-off": /JetStream is off on the hub off in account OSLO/ },
  },
  {
    name: "JetStream switched off in the account HUB",
    modes: ["merged"],
    make: (fleet) => misconfigureHub(fleet, ({ accounts }) => delete accounts.HUB!.jetstream),
    finds: ["bergen: jetstream-off", "oslo: jetstream-off"],
    evidence: { "jetstream-off": /JetStream is off on the hub off in account HUB/ },
  },
  {
    name: "JetStream switched off at the site",
    make: (fleet) => misconfigureOslo(fleet, (config) => delete (config as Partial<typeof config>).jetstream),
    finds: ["oslo: jetstream-off"],
    evidence: { "jetstream-off": /JetStream is off at the site off in the server/ },
  },
  {
    name: "JetStream switched off in the account at the site",
    make: (fleet) => misconfigureOslo(fleet, ({ accounts }) => delete accounts.OSLO!.jetstream),
    finds: ["oslo: jetstream-off"],
    evidence: { "jetstream-off": /JetStream is off at the site off in account OSLO/ },
  },
  {
    name: "a link that must not carry the source's requests ($JS.<domain>.API)",
    modes: BOTH,
    make: (fleet) => misconfigureHub(fleet, forbid("subscribe", "$JS.oslo.API.CONSUMER.>")),
    finds: ["oslo: requests-blocked"],
    evidence: { "requests-blocked": /the site takes .*, but not \$JS\.oslo\.API\.CONSUMER\.CREATE\.EVENTS/ },
  },
  {
    name: "a link that must not carry the site's answers ($JSC.R)",
    make: (fleet) => misconfigureHub(fleet, forbid("publish", "$JSC.R.>")),
    finds: ["oslo: replies-blocked"],
    evidence: { "replies-blocked": /CONSUMER\.NAMES\.EVENTS from the hub/ },
  },
  {
    name: "a link that must not carry the site's answers to another account (_R_ and $JSC.R)",
    modes: ["merged"],
    make: (fleet) => misconfigureHub(fleet, forbid("publish", "$JSC.R.>", "_R_.>")),
    finds: ["oslo: replies-blocked"],
    evidence: { "replies-blocked": /CONSUMER\.NAMES\.EVENTS_OSLO from the hub/ },
  },
  {
    name: "a link that must not deliver ($JS.S)",
    make: (fleet) => misconfigureHub(fleet, forbid("publish", "$JS.S.>")),
    finds: ["oslo: delivery-blocked"],
    evidence: { "delivery-blocked": /source EVENTS: active .*, to no one/ },
    cause: { "delivery-blocked": /nothing that it delivers arrives/ },
  },
  {
    name: "a link that must not deliver to a merged stream (_source)",
    modes: ["merged"],
    make: (fleet) => misconfigureHub(fleet, forbid("publish", "_source.oslo.>")),
    finds: ["oslo: delivery-blocked"],
    evidence: { "delivery-blocked": /source EVENTS_OSLO: active .*, to no one/ },
    cause: { "delivery-blocked": /nothing that it delivers arrives/ },
  },
  {
    name: "a link that must not carry flow control ($JS.FC): small probes pass, a burst stalls",
    modes: BOTH,
    make: (fleet) => misconfigureHub(fleet, forbid("subscribe", "$JS.FC.>")),
    finds: ["oslo: flow-control-blocked"],
    evidence: { "flow-control-blocked": /the site takes \$JS\.oslo\.API.*but nothing of \$JS\.FC\.EVENTS|10228/ },
  },
  {
    name: "a hub that does not export flow control to a merged stream",
    modes: ["merged"],
    make: (fleet) => misconfigureHub(fleet, unexport("$JS.FC.")),
    finds: ["oslo: export-missing"],
    evidence: { "export-missing": /OSLO does not export the service \$JS\.FC\.EVENTS_OSLO\.>/ },
  },
  {
    name: "a hub that does not import flow control into a merged stream's account",
    modes: ["merged"],
    make: (fleet) => misconfigureHub(fleet, unimport("$JS.FC.EVENTS_OSLO.")),
    finds: ["oslo: export-missing"],
    evidence: { "export-missing": /^HUB does not import the service \$JS\.FC\.EVENTS_OSLO\.>$/ },
  },
  {
    name: "a hub that does not export the site's consumer API",
    modes: ["merged"],
    make: (fleet) => misconfigureHub(fleet, unexport("$JS.oslo.API")),
    finds: ["oslo: export-missing"],
    evidence: {
      "export-missing": /OSLO does not export the service \$JS\.oslo\.API\.CONSUMER\.>; HUB does not import/,
    },
  },
  {
    name: "a hub that does not import the site's consumer API",
    modes: ["merged"],
    make: (fleet) => misconfigureHub(fleet, unimport("$JS.oslo.API")),
    finds: ["oslo: export-missing"],
    evidence: { "export-missing": /^HUB does not import the service \$JS\.oslo\.API\.CONSUMER\.>$/ },
  },
  {
    name: "a hub that does not import what the site delivers",
    modes: ["merged"],
    make: (fleet) => misconfigureHub(fleet, unimport("_source.")),
    finds: ["oslo: export-missing"],
    evidence: { "export-missing": /^HUB does not import the stream _source\.oslo\.>$/ },
  },
  {
    name: "deny_imports in the site's remote",
    modes: BOTH,
    make: (fleet) => misconfigureOslo(fleet, (config) => (remoteOf(config).deny_imports = ["$JS.>"])),
    finds: ["oslo: remote-denies"],
    evidence: { "remote-denies": /its remote has deny_imports \$JS\.>/ },
  },
  {
    name: "deny_exports in the site's remote",
    make: (fleet) => misconfigureOslo(fleet, (config) => (remoteOf(config).deny_exports = ["$JS.S.>"])),
    finds: ["oslo: remote-denies"],
    evidence: { "remote-denies": /its remote has deny_exports \$JS\.S\.>/ },
  },
  {
    name: "a link that carries more than sourcing needs",
    make: (fleet) => misconfigureHub(fleet, ({ accounts }) => delete linkUser(accounts.OSLO!).permissions),
    finds: ["oslo: isolation-broken"],
    evidence: { "isolation-broken": /^\$JS\.hub\.API\.STREAM\.NAMES was answered$/ },
    cause: { "isolation-broken": /JetStream of 'hub' from the site's application succeeded/ },
  },
  {
    name: "a link key that also opens the hub's client port",
    make: (fleet) => misconfigureHub(fleet, ({ accounts }) => delete linkUser(accounts.OSLO!).allowed_connection_types),
    finds: ["oslo: isolation-broken"],
    evidence: { "isolation-broken": /let it in/ },
    cause: { "isolation-broken": /link key at the hub's client port/ },
  },
  {
    name: "a hub that takes smaller messages than the site (max_payload)",
    modes: BOTH,
    make: (fleet) => misconfigureHub(fleet, (config) => (config.max_payload = 65_536)),
    finds: ["bergen: payload-limits", "oslo: payload-limits"],
    evidence: { "payload-limits": /max_payload: site 1048576, hub 65536/ },
  },
  {
    name: "an account of the hub that takes smaller messages than the site",
    make: (fleet) =>
      misconfigureHub(
        fleet,
        ({ accounts }) => ((accounts.OSLO as AccountConfig & Record<string, unknown>).limits = { max_payload: 10_000 }),
      ),
    finds: ["oslo: payload-limits"],
    evidence: { "payload-limits": /3 of 28 probes arrived; the site logs: .*Maximum Payload Violation/ },
  },
];
