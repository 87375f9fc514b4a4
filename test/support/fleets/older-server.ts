import { readFileSync } from "node:fs";
import { findNatsServer } from "../../../servers/nats-server-binary";

export const OLDER = "2.14.9";

/** The program of a nats-server that calls itself an older one: this machine's, with another version written in it. */
export async function olderServer(): Promise<Buffer> {
  const { path, version } = await findNatsServer();
  return Buffer.from(readFileSync(path, "latin1").replaceAll(version, OLDER.padEnd(version.length)), "latin1");
}
