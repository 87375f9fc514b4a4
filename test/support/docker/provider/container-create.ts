import type { ContainerCreateOptions, HostConfig, MountConfig, PortMap } from "dockerode";
import { nanoseconds } from "./durations";
import { Properties, count, flag, isAbsent, labelMap, object, objects, text, textMap, texts } from "./values";

const MB = 1024 * 1024;

/** What the engine is asked for. A field that is not given, or zero, is left to the engine, as the plugin leaves it. */
export function createOptions(inputs: Properties): ContainerCreateOptions {
  const ports = objects(inputs, "ports");
  return {
    name: text(inputs, "name"),
    Image: text(inputs, "image"),
    Hostname: text(inputs, "hostname"),
    User: text(inputs, "user"),
    WorkingDir: text(inputs, "workingDir"),
    Env: texts(inputs, "envs"),
    Labels: labelMap(inputs),
    StopSignal: text(inputs, "stopSignal"),
    ...(count(inputs, "stopTimeout") === 0 ? {} : { StopTimeout: count(inputs, "stopTimeout") }),
    ...(isAbsent(inputs.command) ? {} : { Cmd: commandOf(inputs) }),
    ...(isAbsent(inputs.entrypoints) ? {} : { Entrypoint: texts(inputs, "entrypoints") }),
    ...(isAbsent(inputs.healthcheck) ? {} : { Healthcheck: healthcheck(object(inputs, "healthcheck")) }),
    ExposedPorts: Object.fromEntries(ports.map((port) => [portKey(port), {}])),
    HostConfig: hostConfig(inputs, ports),
  };
}

function commandOf(inputs: Properties): string[] {
  const command = texts(inputs, "command");
  if (command.includes("")) throw new Error("values for command may not be empty");
  return command;
}

function hostConfig(inputs: Properties, ports: Properties[]): HostConfig {
  const capabilities = object(inputs, "capabilities");
  const cpus = text(inputs, "cpus");
  return {
    ...resources(inputs),
    RestartPolicy: restartPolicy(inputs),
    AutoRemove: flag(inputs, "rm"),
    ReadonlyRootfs: flag(inputs, "readOnly"),
    // Not given is `false` for the plugin, not the engine's own default.
    Init: flag(inputs, "init"),
    Tmpfs: textMap(inputs, "tmpfs"),
    CapAdd: texts(capabilities, "adds"),
    CapDrop: texts(capabilities, "drops"),
    SecurityOpt: texts(inputs, "securityOpts"),
    DnsOptions: texts(inputs, "dnsOpts"),
    ...(cpus === "" ? {} : { NanoCpus: Math.round(Number(cpus) * 1e9) }),
    LogConfig: { Type: text(inputs, "logDriver"), Config: textMap(inputs, "logOpts") },
    NetworkMode: text(inputs, "networkMode"),
    PortBindings: bindings(ports),
    ExtraHosts: objects(inputs, "hosts").map((host) => `${text(host, "host")}:${text(host, "ip")}`),
    Mounts: objects(inputs, "mounts").map(mount),
  };
}

/** What can also be changed of a container that is there. */
export function resources(inputs: Properties): HostConfig {
  const swap = count(inputs, "memorySwap");
  return {
    CpuShares: count(inputs, "cpuShares"),
    CpusetCpus: text(inputs, "cpuSet"),
    Memory: count(inputs, "memory") * MB,
    MemoryReservation: count(inputs, "memoryReservation") * MB,
    ...(swap === 0 ? {} : { MemorySwap: swap > 0 ? swap * MB : swap }),
  };
}

export const restartPolicy = (inputs: Properties) => ({
  Name: text(inputs, "restart"),
  MaximumRetryCount: count(inputs, "maxRetryCount"),
});

const healthcheck = (inputs: Properties) => ({
  Test: texts(inputs, "tests"),
  Interval: nanoseconds(text(inputs, "interval")),
  Timeout: nanoseconds(text(inputs, "timeout")),
  StartPeriod: nanoseconds(text(inputs, "startPeriod")),
  StartInterval: nanoseconds(text(inputs, "startInterval")),
  Retries: count(inputs, "retries"),
});

const mount = (inputs: Properties): MountConfig[number] => ({
  Type: text(inputs, "type") as MountConfig[number]["Type"],
  Target: text(inputs, "target"),
  Source: text(inputs, "source"),
  ReadOnly: flag(inputs, "readOnly"),
});

const portKey = (port: Properties): string => `${count(port, "internal")}/${text(port, "protocol") || "tcp"}`;

function bindings(ports: Properties[]): PortMap {
  const map: PortMap = {};
  for (const port of ports) {
    const binding = { HostIp: text(port, "ip") || "0.0.0.0", HostPort: String(count(port, "external")) };
    map[portKey(port)] = [...(map[portKey(port)] ?? []), binding];
  }
  return map;
}
