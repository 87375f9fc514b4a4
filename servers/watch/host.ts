import type { WatcherFacts } from "../../diagnosis/facts/facts";
import type { DockerPlace } from "../server-host";
import type { Program } from "./program-files";

/** Where a watcher runs. */
export interface WatcherPlace {
  folder: string;
  /** Of its health and metrics, on loopback of the machine that runs it. */
  port: number;
  /** Absent for a process of this machine. */
  container?: DockerPlace;
}

/** What a watcher's life needs of the place where it runs. */
export interface WatcherHost {
  /** How the watcher is. Never throws. */
  facts(): Promise<WatcherFacts>;
  /** Digest of its configuration as it lies there; undefined where there is none. */
  configDigest(): Promise<string | undefined>;
  hasProgram(program: Program): Promise<boolean>;
  /** Puts program and configuration there; only while it does not run. */
  write(program: Program, config: string): Promise<void>;
  /** Starts it, and waits until it watches. Errors: a Refusal with what it said. */
  start(): Promise<void>;
  /** Stops it and waits until it is gone; does nothing where it does not run. */
  stop(): Promise<void>;
  /** Removes what is its own there, once it is stopped; what Pulumi made stays. */
  clear(root: string): void;
}
