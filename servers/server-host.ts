import type { EngineAccess } from "./docker/engine";
import { Refusal } from "../machine/refusal";
import { ServerFiles } from "./files/server-files";

/** A process of this machine, with a folder of its own. */
export interface ProcessPlace {
  kind: "process";
  folder: string;
  /** Path of the nats-server to run. */
  natsServer?: string;
}

/** A container of a Docker engine. Pulumi creates and removes it; the program starts it once its files are there. */
export interface DockerPlace {
  kind: "docker";
  engine: EngineAccess;
  /** The container's id; its name where the place must be known before the container is made. */
  container: string;
  /** The container's name. */
  name: string;
  /** A folder of this machine, for what must not happen twice at a time. */
  folder: string;
}

/** Where a server runs, as it crosses Pulumi's boundary. */
export type Place = ProcessPlace | DockerPlace;

/** What holds the server is not there: it was never made, or it was removed. */
export class PlaceGone extends Refusal {}

/** The addresses that a server listens on, by listener. */
export type Listeners = Record<string, { host: string; port: number }>;

/** "frozen": it is there and was stopped, by SIGSTOP or as a paused container. */
export type ProcessState = "running" | "frozen" | "gone";

/** What the file system of a store still takes. */
export interface Room {
  path: string;
  bytes: number;
  isReadOnly?: true;
}

/** What a server's life needs of the place where it runs. How servers are spoken to is NATS everywhere. */
export interface ServerHost {
  /** Errors: a PlaceGone when the place is not there; another Refusal when it cannot be asked. */
  files(): Promise<ServerFiles>;
  /** Whether the server's process is there; undefined when the place itself cannot be asked. */
  isRunning(): Promise<boolean>;
  /** Errors: a Refusal when what the server needs is taken or missing. `isRestart`: the server gives back what it has. */
  refuseUnstartable(server: string, listeners: Listeners, isRestart: boolean): Promise<void>;
  /** Starts the server on its configuration. `exitCode` is known once it has exited. */
  start(): Promise<{ exitCode: () => Promise<number | undefined> }>;
  /** Stops the server and waits until it is gone; does nothing when it does not run. */
  stop(): Promise<void>;
  /** The last lines of its log. They may hold seeds. */
  log(): Promise<string>;
  /** What is seen of its process. Errors: a Refusal when the place itself cannot be asked. */
  state(): Promise<ProcessState>;
  /** Resumes a frozen process. */
  thaw(): Promise<void>;
  /** Room on the file system of its store; undefined where it cannot be seen from here. */
  room(): Room | undefined;
  /** Why the server may not write to its store, and what gives it back. */
  readonly storeCure: string;
  /** What gives the server a newer nats-server. */
  readonly versionCure: string;
  /** Removes what only this server has there, once it is stopped; what Pulumi made beside it stays. */
  clear(root: string): void;
  /** The version of nats-server that checks its configurations. */
  readonly natsServer: string | undefined;
}
