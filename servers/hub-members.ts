import { ServerFiles } from "./files/server-files";
import { Access } from "./nats/connection";
import { HELD_FILE, LINKS } from "./server-config";
import { hostOf } from "./hosts";
import { type Place, PlaceGone } from "./server-host";

/** A server of a hub of several, as it crosses Pulumi's boundary. */
export interface HubMember {
  place: Place;
  /** Its own client URL. */
  url: string;
}

/** The system account of each server. */
export const membersAccess = (members: readonly Pick<HubMember, "url">[], seed: string): Access[] =>
  members.map(({ url }) => ({ url, seed }));

/**
 * Gives a server of the hub that has no declarations of sites those of another one: its folder or volume is new. Another
 * one whose container is not there yet has none either.
 */
export async function bringLinks(files: ServerFiles, members: readonly Pick<HubMember, "place">[]): Promise<void> {
  for (const { place } of members) {
    if (files.list(LINKS).length > 0) return;
    const other = await hostOf(place)
      .files()
      .catch((error: unknown) => {
        if (error instanceof PlaceGone) return undefined;
        throw error;
      });
    for (const name of other?.list(LINKS) ?? []) files.write(`${LINKS}/${name}`, other?.read(`${LINKS}/${name}`) ?? "");
    const held = other?.read(HELD_FILE);
    if (held !== undefined) files.write(HELD_FILE, held);
  }
}
