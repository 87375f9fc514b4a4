import type { ContainerInspectInfo } from "dockerode";
import { CONTAINER_OUTPUTS } from "./container-inputs";
import { goDuration } from "./durations";
import { Properties, Value, flag, isZero, stated, text } from "./values";

const MB = 1024 * 1024;

/** With what the client's types leave out. */
type Inspected = ContainerInspectInfo & {
  Config: { StopSignal?: string; StopTimeout?: number };
  NetworkSettings: { Bridge?: string };
};

/**
 * The state after a look at the container. What the plugin does not read back stays as it was: networks, labels,
 * environment, and how it is started and removed.
 */
export function containerState(before: Properties, inspected: ContainerInspectInfo): Properties {
  const found = inspected as Inspected;
  const { Running, ExitCode } = found.State;
  const mustRun = before.mustRun !== false;
  return stated(
    before,
    {
      ...general(found, before),
      ...limits(found.HostConfig),
      ...network(found),
      ...(Running || mustRun ? ports(found, before) : {}),
      // Then the program's `mustRun: true` differs from the state, and the next update starts it.
      ...(Running ? {} : { exitCode: ExitCode, ...(mustRun ? { mustRun: false } : {}) }),
    },
    CONTAINER_OUTPUTS,
  );
}

function general({ Name, Image, Config, HostConfig, Platform }: Inspected, before: Properties) {
  const byId = text(before, "image").startsWith("sha256:");
  return {
    name: Name.replace(/^\//, ""),
    image: byId ? Image : Config.Image,
    command: asList(Config.Cmd),
    entrypoints: asList(Config.Entrypoint),
    hostname: Config.Hostname,
    user: Config.User,
    workingDir: Config.WorkingDir,
    stopSignal: Config.StopSignal ?? "",
    stopTimeout: Config.StopTimeout ?? 0,
    rm: HostConfig.AutoRemove ?? false,
    readOnly: HostConfig.ReadonlyRootfs ?? false,
    restart: HostConfig.RestartPolicy?.Name ?? "",
    maxRetryCount: HostConfig.RestartPolicy?.MaximumRetryCount ?? 0,
    init: HostConfig.Init ?? false,
    tmpfs: HostConfig.Tmpfs ?? {},
    securityOpts: asList(HostConfig.SecurityOpt),
    dnsOpts: asList(HostConfig.DnsOptions),
    ...capabilities(HostConfig),
    ...healthcheck(Config.Healthcheck),
    runtime: HostConfig.Runtime ?? "",
    platform: Platform ?? "",
    ipcMode: HostConfig.IpcMode ?? "",
    shmSize: Math.floor((HostConfig.ShmSize ?? 0) / MB),
    logDriver: HostConfig.LogConfig?.Type ?? "",
    ...(isZero(before.logOpts) ? {} : { logOpts: (HostConfig.LogConfig?.Config ?? {}) as Record<string, string> }),
    mounts: (HostConfig.Mounts ?? []).map((mount) => ({
      target: mount.Target,
      source: mount.Source ?? "",
      type: mount.Type,
      readOnly: mount.ReadOnly ?? false,
    })),
    hosts: asList(HostConfig.ExtraHosts).map((line) => {
      const [host = "", ip = ""] = line.split(":");
      return { host, ip };
    }),
  };
}

const asList = (found: unknown): string[] =>
  Array.isArray(found) ? found.map(String) : typeof found === "string" ? [found] : [];

function capabilities({ CapAdd, CapDrop }: Inspected["HostConfig"]): Properties {
  const [adds, drops] = [asList(CapAdd), asList(CapDrop)];
  return adds.length + drops.length === 0 ? {} : { capabilities: { adds, drops } };
}

function healthcheck(found: Inspected["Config"]["Healthcheck"]): Properties {
  if (found === undefined) return {};
  const { Test, Interval, Timeout, StartPeriod, StartInterval, Retries } = found as Record<string, number | undefined>;
  return {
    healthcheck: {
      tests: asList(Test),
      interval: goDuration(Interval ?? 0),
      timeout: goDuration(Timeout ?? 0),
      startPeriod: goDuration(StartPeriod ?? 0),
      startInterval: goDuration(StartInterval ?? 0),
      retries: Retries ?? 0,
    },
  };
}

function limits({ Memory, MemoryReservation, MemorySwap, NanoCpus, CpuShares, CpusetCpus }: Inspected["HostConfig"]) {
  const swap = MemorySwap ?? 0;
  return {
    memory: Math.floor((Memory ?? 0) / MB),
    memoryReservation: Math.floor((MemoryReservation ?? 0) / MB),
    memorySwap: swap > 0 ? Math.floor(swap / MB) : swap,
    ...(NanoCpus ? { cpus: decimal(NanoCpus) } : {}),
    cpuShares: CpuShares ?? 0,
    cpuSet: CpusetCpus ?? "",
  };
}

/** `0.5`, and `1.0` for whole numbers: what the plugin makes of the engine's billionths. */
function decimal(billionths: number): string {
  const digits = (billionths / 1e9).toFixed(9);
  if (digits.split("0").length - 1 === 9) return (billionths / 1e9).toFixed(1);
  return digits.replace(/0+$/, "");
}

function network({ HostConfig, NetworkSettings }: Inspected) {
  const networks = Object.entries(NetworkSettings.Networks).sort(([a], [b]) => a.localeCompare(b));
  return {
    networkMode: HostConfig.NetworkMode ?? "",
    bridge: NetworkSettings.Bridge ?? "",
    networkDatas: networks.map(([networkName, at]) => ({
      networkName,
      ipAddress: at.IPAddress,
      ipPrefixLength: at.IPPrefixLen,
      gateway: at.Gateway,
      globalIpv6Address: at.GlobalIPv6Address,
      globalIpv6PrefixLength: at.GlobalIPv6PrefixLen,
      ipv6Gateway: at.IPv6Gateway,
      macAddress: at.MacAddress,
    })),
  };
}

/** As they are really published, by the port inside; none of a container that does not run. */
function ports({ NetworkSettings }: Inspected, before: Properties): Record<string, Value> {
  if (isZero(before.ports)) return {};
  const published = Object.entries(NetworkSettings.Ports ?? {}).flatMap(([key, bindings]) => {
    const [internal, protocol = ""] = key.split("/");
    return ((bindings ?? []) as { HostIp: string; HostPort: string }[]).map(({ HostIp: ip, HostPort }) => ({
      internal: Number(internal),
      external: Number(HostPort),
      ip,
      protocol,
    }));
  });
  return { ports: published.sort((a, b) => a.internal - b.internal) };
}

export const graceSeconds = (state: Properties): number => Math.max(0, Number(state.destroyGraceSeconds ?? 0));
export const wasStopped = (state: Properties, inputs: Properties): boolean =>
  !flag(state, "mustRun") && flag(inputs, "mustRun") && flag(inputs, "start");
