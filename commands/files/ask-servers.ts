import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { ConfigFinding, draft, finished } from "../../diagnosis/files/finding";
import type { Known } from "../../diagnosis/files/links";
import type { ConfigServer } from "../../diagnosis/files/server";
import type { Shown } from "../../diagnosis/files/shown";
import type { FilesToRehearse } from "../../doctor/files/layout";
import { rehearseFiles } from "../../doctor/files/rehearse-files";
import { readText } from "../../machine/folders";
import { messageOf } from "../../machine/refusal";
import { inRehearsalFolder } from "../../providers/rehearsal/rehearsal-folder";
import { NatsServer, checkConfig, findNatsServer } from "../../servers/nats-server-binary";

/** What real servers say about hand-written files: first `nats-server -t` for each file, then all of them in a rehearsal. */

export interface Asked {
  /** Of `nats-server -t`. */
  refusals: ConfigFinding[];
  notes: string[];
  /** Absent when there was no rehearsal. */
  shown?: Shown;
}

/** Room that the rehearsal of one file needs on the disk. */
const BYTES_EACH = 16 * 2 ** 20;

/** Where the files find what they name. */
type Files = Pick<FilesToRehearse, "find" | "readNamed"> & {
  hosts: Known["hosts"];
  /** What variables are taken from. */
  env: Readonly<Record<string, string | undefined>>;
};

/** Never throws: what could not be asked is a note. */
export async function askServers(servers: readonly ConfigServer[], files: Files): Promise<Asked> {
  let natsServer: NatsServer;
  try {
    natsServer = await findNatsServer();
  } catch (error) {
    return { refusals: [], notes: [`nats-server was not asked: ${messageOf(error)}`] };
  }
  const refusals: ConfigFinding[] = [];
  const refused = new Set<ConfigServer>();
  for (const server of servers) {
    const said = await refusalOf(natsServer, server, files);
    if (said === undefined) continue;
    refusals.push(said);
    if (said.code === "server-refuses" && said.severity === "error") refused.add(server);
  }
  try {
    // It cannot be guessed: what is in it is secret.
    const root = path.join(tmpdir(), `nats-hub-leaf-${randomBytes(9).toString("hex")}`);
    const shown = await inRehearsalFolder(root, servers.length * BYTES_EACH, (folder) =>
      rehearseFiles(servers, { ...files, natsServer: natsServer.path, read: readText }, folder),
    );
    const others = [...shown.refused].filter(([server]) => !refused.has(server));
    return { refusals, notes: [], shown: { ...shown, refused: new Map(others) } };
  } catch (error) {
    return { refusals, notes: [`the files were checked by the rules alone, without a rehearsal: ${messageOf(error)}`] };
  }
}

const MISSING = /open (\S+?):? no such file or directory|(?:reading|open)\S* (\S+): no such file/i;

/** Why `nats-server -t` rejects the file; a file that is elsewhere is only a warning. */
async function refusalOf(
  natsServer: NatsServer,
  server: ConfigServer,
  { find, env }: Files,
): Promise<ConfigFinding | undefined> {
  try {
    await checkConfig(natsServer, path.resolve(server.file), env);
    return undefined;
  } catch (error) {
    const said = messageOf(error).replaceAll("nats-server.conf", server.file).replace(/\s+/g, " ");
    const line = Number(/:(\d+):\d+:/.exec(said)?.[1] ?? 1);
    const at = { file: server.file, line };
    const [, one, other] = MISSING.exec(said) ?? [];
    const missing = one ?? other;
    // -t exits with an error for this, but a start only logs a warning (opts.go, configWarningErr).
    const isWarning = said.includes("invalid use of field");
    if (missing === undefined) {
      return finished(
        draft("server-refuses", server, at, {
          evidence: said,
          ...(isWarning ? { severity: "warning", cause: "nats-server -t rejects the file" } : {}),
        }),
      );
    }
    // A server that is started elsewhere may find it.
    if (find(server, missing) !== undefined) return undefined;
    return finished(draft("file-missing", server, at, { evidence: `${missing} cannot be read here` }));
  }
}
