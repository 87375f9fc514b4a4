/**
 * Permission to lose messages, given with the command and never stored: `DISCARD=1` for everything,
 * `DISCARD=oslo,bergen` for sites; `DISCARD_COLLECTED` has the same form, for what the hub collected from a removed
 * site.
 */
function permits(variable: string | undefined, site: string): boolean {
  const named = names(variable);
  return named.includes("1") || named.includes(site);
}

const names = (variable: string | undefined): string[] => (variable ?? "").split(",").map((name) => name.trim());

/** Whether what the site has not delivered yet may be lost. */
export const mayDiscard = (site: string): boolean => permits(process.env.DISCARD, site);

/** Whether what the hub collected from the removed site may be deleted. */
export const mayDiscardCollected = (site: string): boolean => permits(process.env.DISCARD_COLLECTED, site);

/** Whether everything may be lost: the permission that `destroy` asks for. */
export const mayDiscardAll = (): boolean => permits(process.env.DISCARD, "1");

/**
 * Whether a stream may be deleted and recreated, with what it holds: `REMAKE=oslo/EVENTS` at a site,
 * `REMAKE=hub/OSLO/EVENTS` on the hub. Each is named: no word permits all.
 */
export const mayRemake = (stream: string): boolean => names(process.env.REMAKE).includes(stream);

/**
 * Whether the hub may store messages of the site a second time: `DOUBLE=oslo,bergen`. Each site is named: no word permits all.
 */
export const mayDouble = (site: string): boolean => names(process.env.DOUBLE).includes(site);
