import { DeployedFleet, DeployedSite } from "../../../../views/outputs/deployed";

/** A fleet with one site of each kind: reached at its own port, through the hub only, and not there yet. */

export const OSLO: DeployedSite = {
  name: "oslo",
  account: "OSLO",
  url: "nats://127.0.0.1:4223",
  monitor: "http://127.0.0.1:8223",
  reach: "direct",
  expect: "online",
};

export const TROMSO: DeployedSite = {
  name: "tromso",
  account: "TROMSO",
  url: "nats://10.0.0.7:4222",
  reach: "hub",
  expect: "online",
};

export const BERGEN: DeployedSite = { ...OSLO, name: "bergen", account: "BERGEN", expect: "offline" };

export const FLEET: DeployedFleet = {
  stack: "dev",
  hub: { name: "hub", url: "nats://127.0.0.1:4222", monitor: "http://127.0.0.1:8222" },
  sites: [OSLO, TROMSO, BERGEN],
  streams: [{ name: "EVENTS", mode: "perSite", subjects: ["events.>"] }],
};

export const MERGED: DeployedFleet = { ...FLEET, streams: [{ name: "ALL", mode: "merged", subjects: ["events.*.b"] }] };
