import { dirname } from "node:path";
import { maskSeeds } from "../../configs/seeds";
import { readJson, watcherFiles } from "../../machine/folders";
import type { Say } from "../../machine/progress";
import { Refusal, messageOf } from "../../machine/refusal";
import { closeShared } from "../../servers/nats/connection";
import { serveHealth } from "../../servers/watch/health";
import { logTo } from "../../servers/watch/log-file";
import { Notes } from "../../servers/watch/notes";
import { LimitedWatch, withOwnKey } from "./watched";
import { Watcher } from "./watcher";

/** The program of a deployed watcher: `node run.js -c <configuration>`, until SIGTERM. */

/** The watcher's configuration file: all that it knows of the fleet. It holds the seed of the watcher's key. */
export interface WatcherConfig extends LimitedWatch {
  /** Of its health and metrics, on loopback. */
  port: number;
  /** In a container its log is what it prints, and it answers at every address: only loopback of the machine is published. */
  isInContainer?: true;
}

const print: Say = (line) => console.log(`${new Date().toISOString()} ${line}`);

async function main(file: string): Promise<void> {
  const config = readJson<WatcherConfig>(file);
  if (config === undefined) throw new Refusal(`${file}: there is no such file; run 'pulumi up'`);
  const files = watcherFiles(dirname(file));
  const say = config.isInContainer === true ? print : logTo(files.log);
  const end = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => end.abort());
  const watcher = new Watcher(withOwnKey(config, new Notes(files.restarting)), say);
  const health = await serveHealth(config, () => watcher.status);
  say(`watching the links of ${config.sites.join(", ") || "no site"}`);
  await watcher.run(end.signal);
  say("ends");
  health.close();
  health.closeAllConnections();
  await closeShared();
}

main(process.argv.at(-1) ?? "").catch((error: unknown) => {
  process.stderr.write(`${maskSeeds(messageOf(error))}\n`);
  process.exit(1);
});
