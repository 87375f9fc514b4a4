import type { WatcherFacts } from "../../diagnosis/facts/facts";
import { digest } from "../../machine/digest";
import { makeFolder, readText, removeFolder, watcherFiles, writePrivate } from "../../machine/folders";
import { WatcherContainer } from "./container";
import type { WatcherHost, WatcherPlace } from "./host";
import { processFacts, startWatcher, stopWatcher } from "./process";
import { Program, isProgramThere, writeProgram } from "./program-files";

class WatcherProcess implements WatcherHost {
  constructor(private readonly place: WatcherPlace) {}

  private get files() {
    return watcherFiles(this.place.folder);
  }

  facts = (): Promise<WatcherFacts> => processFacts(this.place);

  configDigest(): Promise<string | undefined> {
    const text = readText(this.files.config);
    return Promise.resolve(text === undefined ? undefined : digest(text));
  }

  hasProgram = (program: Program): Promise<boolean> => Promise.resolve(isProgramThere(this.files.program, program));

  write(program: Program, config: string): Promise<void> {
    makeFolder(this.place.folder);
    writeProgram(this.files.program, program);
    writePrivate(this.files.config, config);
    return Promise.resolve();
  }

  start = (): Promise<void> => startWatcher(this.place);
  stop = (): Promise<void> => stopWatcher(this.place.folder);
  clear = (root: string): void => removeFolder(this.place.folder, root);
}

export const watcherHost = (place: WatcherPlace): WatcherHost =>
  place.container === undefined ? new WatcherProcess(place) : new WatcherContainer(place.container);

/** How the watcher is. Never throws. */
export const watcherFacts = (place: WatcherPlace): Promise<WatcherFacts> => watcherHost(place).facts();
