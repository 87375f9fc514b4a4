import { cpSync, writeFileSync } from "node:fs";
import { serverFiles } from "../../../machine/folders";
import { findNatsServer } from "../../../servers/nats-server-binary";
import { startProcess } from "../../../machine/processes";
import { Row } from "./catalogue";
import { oslo } from "./mistakes";
import { TestFleet } from "../fleets/fleet";
import { configOf, editConfig, stopServer } from "../fleets/servers";
import { until } from "../until";

/** Servers that are there twice, and servers that do not start. */

/** Starts a copy of oslo's server: the same name, key and domain, with ports and a store of its own. */
async function clone(fleet: TestFleet, edit: (text: string) => string): Promise<void> {
  const { folder } = oslo(fleet);
  const copy = `${folder}-copy`;
  cpSync(folder, copy, { recursive: true });
  const files = serverFiles(copy);
  const text = configOf(folder)
    .replaceAll(folder, copy)
    .replace(/^(listen|http): .*$/gm, '$1: "127.0.0.1:-1"');
  writeFileSync(files.config, edit(text), { mode: 0o600 });
  startProcess((await findNatsServer()).path, files.config, files);
  fleet.whenStopped(() => stopServer(copy));
}

/** Has oslo's server try to start with a configuration that it refuses. */
async function refuseToStart(fleet: TestFleet, edit: (text: string) => string): Promise<void> {
  const { folder } = oslo(fleet);
  await stopServer(folder);
  editConfig(folder, edit);
  const files = serverFiles(folder);
  startProcess((await findNatsServer()).path, files.config, files);
}

const strangers = (fleet: TestFleet, count: number) =>
  until(`${count} links of oslo's account`, async () => (await fleet.linksOf("OSLO")).length === count);

export const CLONE_ROWS: Row[] = [
  {
    name: "a cloned machine: the same name, key and domain",
    make: async (fleet) => {
      await clone(fleet, (text) => text);
      const { id } = (await fleet.links("oslo"))[0] ?? {};
      await until("they push each other out", async () => {
        const [link] = await fleet.links("oslo");
        return link !== undefined && link.id !== id;
      });
    },
    finds: ["oslo: link-doubled"],
    evidence: { "link-doubled": /replaced the link of oslo .*Duplicate Remote LeafNode Connection/ },
    cure: (fleet) => stopServer(`${oslo(fleet).folder}-copy`),
    says: "stop the copy",
  },
  {
    name: "a cloned machine under another name: the same key and domain",
    make: async (fleet) => {
      await clone(fleet, (text) => text.replace(/^server_name: .*$/m, 'server_name: "oslo-2"'));
      await strangers(fleet, 2);
    },
    finds: ["oslo: link-doubled"],
    evidence: { "link-doubled": /oslo -> OSLO; oslo-2 -> OSLO/ },
    cause: { "link-doubled": /other servers are linked into this site's account OSLO: oslo-2/ },
    cure: (fleet) => stopServer(`${oslo(fleet).folder}-copy`),
    says: "stop the copy",
  },
  {
    name: "a leaf remote whose account the site does not have: the server does not start",
    make: (fleet) => refuseToStart(fleet, (text) => text.replace(/account: "?OSLO"?/, 'account: "TRONDHEIM"')),
    finds: ["oslo: site-down", "oslo: wrong-account-at-site"],
    evidence: { "site-down": /REFUSED/, "wrong-account-at-site": /account in the remote: TRONDHEIM/ },
  },
  {
    name: "a domain with a dot: the server does not start",
    make: (fleet) => refuseToStart(fleet, (text) => text.replace(/domain: "?oslo"?/, 'domain: "os.lo"')),
    finds: ["oslo: site-down"],
    evidence: { "site-down": /REFUSED/ },
  },
];
