import { z } from "zod";
import { about, duration, flag, port, size } from "../text/setting";

/** What is set for all containers, and for the watcher beside the hub. */

export const docker = z
  .strictObject({
    image: about(
      "image of nats-server (2.15.0 or newer), by tag or digest. An image with `alpine` in its tag gets a health check: the plain image has no program that could run one",
      z.string().min(1).default("nats:2.15.2"),
      { change: "replaces the containers, one at a time: `make upgrade`" },
    ),
    memory: about("memory limit of a container, 64 MiB or more, without swap", size().prefault("512MiB")),
    cpus: about("processor limit of a container, 0.1 to 128", z.number().min(0.1).max(128).multipleOf(0.01).default(1)),
    stopTimeout: about(
      "time that a server gets to stop before it is killed, 1 s to 10 min",
      duration().prefault("30s"),
    ),
  })
  .prefault({});

export const watch = z
  .strictObject({
    deploy: about("`true`: `up` runs a watcher beside the hub", flag().default(false)),
    runtime: about(
      "where the watcher runs: `process`, on this machine, which must run the hub too, as a process or in Docker; `docker`, in a container on the engine of the hub, or of its first server",
      z.enum(["process", "docker"]).optional(),
      { unset: "`process` if the hub runs on this machine, else `docker`", change: "the watcher moves" },
    ),
    image: about(
      "image of Node.js (20 or newer) for a watcher in a container, by tag or digest",
      z.string().min(1).default("node:22-alpine"),
      { change: "replaces the watcher's container" },
    ),
    port: about(
      "port on loopback of the watcher's health and metrics, on the machine that runs it, 1 to 65535",
      port.optional(),
      { unset: "allocated once, then kept", change: "restart of the watcher" },
    ),
  })
  .optional();
