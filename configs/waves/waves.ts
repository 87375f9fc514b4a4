import type { Settings, SiteSettings } from "../settings";

/** Sites that are updated together, and proven before the next wave is touched. */
export interface Wave {
  /** `sites[].wave` of its sites; undefined for those that have none, which come last. */
  number?: number;
  sites: SiteSettings[];
}

/** The sites in waves, in their order; one wave for all where no site has a number. */
export function wavesOf({ sites }: Pick<Settings, "sites">): Wave[] {
  const numbers = [...new Set(sites.flatMap(({ wave }) => wave ?? []))].sort((a, b) => a - b);
  const numbered = numbers.map((number) => ({ number, sites: sites.filter(({ wave }) => wave === number) }));
  const last = sites.filter(({ wave }) => wave === undefined);
  return last.length === 0 ? numbered : [...numbered, { sites: last }];
}
