/** Sizes and durations as people write them, parsed once at the edge of the program. */

const SIZE_UNITS: Record<string, number> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** JetStream counts times in nanoseconds, this program in milliseconds. */
export const NANOSECONDS_PER_MS = 1e6;

const DURATION_UNITS: Record<string, number> = { ms: 1, s: 1e3, m: 60e3, h: 3600e3, d: 86400e3 };

/** What a size, and a duration, look like; a number of either form may still be too large. */
const textOf = (units: Record<string, number>): RegExp =>
  new RegExp(`^\\s*\\d+(\\.\\d+)?\\s*(${Object.keys(units).join("|")})\\s*$`);
export const SIZE_TEXT = textOf(SIZE_UNITS);
export const DURATION_TEXT = textOf(DURATION_UNITS);

function parseWithUnits(text: string, units: Record<string, number>): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text.trim());
  const factor = match?.[2] === undefined ? undefined : units[match[2]];
  if (match?.[1] === undefined || factor === undefined) return undefined;
  const value = Math.round(Number(match[1]) * factor);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** `"256MiB"` -> bytes; undefined when it is not a size. */
export const parseSize = (text: string): number | undefined => parseWithUnits(text, SIZE_UNITS);

/** `"30s"` -> milliseconds; undefined when it is not a duration. */
export const parseDuration = (text: string): number | undefined => parseWithUnits(text, DURATION_UNITS);

/** Bytes in the largest unit that keeps two digits: `1.5 GiB`. */
export function formatSize(bytes: number): string {
  for (const unit of ["TiB", "GiB", "MiB", "KiB"] as const) {
    const factor = SIZE_UNITS[unit] ?? 1;
    if (bytes >= factor) return `${Number((bytes / factor).toFixed(1))} ${unit}`;
  }
  return `${bytes} B`;
}

/** Milliseconds as nats-server reads a duration: `"250ms"`, `"2m0s"` is written `"120s"`. */
export const serverDuration = (ms: number): string => (ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`);
