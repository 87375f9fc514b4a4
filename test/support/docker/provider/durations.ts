/** Durations as Go writes and reads them: the engine counts nanoseconds, the plugin shows `1m30s`. */

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

export const DURATION = /^(0|(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+)$/;

/** In nanoseconds; 0 for what is none. */
export function nanoseconds(duration: string): number {
  if (!DURATION.test(duration)) return 0;
  const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? ""] ?? 0), 0);
}

export function goDuration(ns: number): string {
  if (ns === 0) return "0s";
  for (const unit of ["ns", "µs", "ms"]) {
    const size = UNITS[unit] ?? 1;
    if (ns < size * 1000 && ns < 1e9) return `${ns / size}${unit}`;
  }
  const hours = Math.floor(ns / 3600e9);
  const minutes = Math.floor((ns % 3600e9) / 60e9);
  const seconds = `${(ns % 60e9) / 1e9}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
