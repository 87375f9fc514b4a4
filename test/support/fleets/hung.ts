import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { serverFiles } from "../../../machine/folders";
import { TestServer } from "./fleet";
import { stopServer } from "./servers";

/** A process in a server's place that is there, takes connections, and never answers: as a server that hangs. */

const LISTEN = `require("node:net").createServer(() => {}).listen(Number(process.argv[1]), "127.0.0.1", () => console.log("up"))`;

export async function hang({ folder, ports }: TestServer): Promise<void> {
  const { record } = serverFiles(folder);
  const before = JSON.parse(readFileSync(record, "utf8")) as { bootId: string };
  await stopServer(folder);
  const command = [process.execPath, "-e", LISTEN, String(ports.client)];
  const child = spawn(command[0]!, command.slice(1), { stdio: ["ignore", "pipe", "ignore"], detached: true });
  await once(child.stdout, "data");
  child.unref();
  const stat = readFileSync(`/proc/${child.pid!}/stat`, "latin1");
  const startTime = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  writeFileSync(record, JSON.stringify({ pid: child.pid, bootId: before.bootId, startTime, command }));
}
