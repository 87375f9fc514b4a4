import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { WATCHER } from "../configs/watch/watch";
import { serverFiles, watcherFiles } from "../machine/folders";
import { movedProcess } from "../machine/processes";
import { CONFIG_FILE } from "./files/server-files";

/**
 * What is wrong when servers of this folder were started before it was moved or renamed, and its cure; undefined when none
 * was. A nats-server knows its store by the path that it had at its start: it holds on to the files that are open, and can
 * neither make the next one nor read its configuration again.
 *
 * @param root the folder of the stack's files.
 */
export function movedServers(root: string): string | undefined {
  const sites = join(resolve(root), "sites");
  const hub = join(resolve(root), "hub");
  const folders = [
    hub,
    ...membersIn(hub),
    ...(existsSync(sites) ? readdirSync(sites) : []).map((site) => join(sites, site)),
  ];
  const files = [...folders.map(serverFiles), watcherFiles(join(resolve(root), WATCHER))];
  const moved = files.flatMap(({ record, config }) => {
    const process = movedProcess(record, config);
    if (process === undefined) return [];
    return [{ ...process, server: basename(dirname(config)), ...renamed(process.config, config) }];
  });
  const [first] = moved;
  if (first === undefined) return undefined;
  return (
    `${moved.map(({ server }) => server).join(", ")}: started when this project's files were in ${first.from}, which was renamed ` +
    `or moved to ${first.to}; a running server cannot follow, and will soon stop storing messages. ` +
    `Either put it back ('mv ${first.to} ${first.from}'), or stop the servers with 'kill ${moved.map(({ pid }) => pid).join(" ")}' ` +
    `and run 'make up', which starts them here with all that they hold`
  );
}

/** The folders of the servers of a hub of several, in the hub's. */
export const membersIn = (hub: string): string[] =>
  (existsSync(hub) ? readdirSync(hub, { withFileTypes: true }) : [])
    .filter((entry) => entry.isDirectory() && existsSync(join(hub, entry.name, CONFIG_FILE)))
    .map(({ name }) => join(hub, name));

/** What was renamed: both paths without the end that they share. */
function renamed(before: string, now: string): { from: string; to: string } {
  let [from, to] = [before, now];
  while (basename(from) === basename(to)) [from, to] = [dirname(from), dirname(to)];
  return { from, to };
}
