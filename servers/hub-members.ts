import { ServerFiles } from "./files/server-files";
import { Access } from "./nats/connection";
import { HELD_FILE, LINKS } from "./server-config";
import { isPlaceAway } from "./away";
import { hostOf } from "./hosts";
import { type Place, PlaceGone } from "./server-host";

/** A server of a hub of several, as it crosses Pulumi's boundary. */
export interface HubMember {
  place: Place;
  /** Its own client URL. */
  url: string;
}

/** The servers whose machines can be reached. */
export const thereOf = <M extends Pick<HubMember, "place">>(members: readonly M[]): M[] =>
  members.filter(({ place }) => !isPlaceAway(place));

/** Whether the servers of the hub are on machines of their own, of which one may be away for a while. */
export const isSpread = (members: readonly Pick<HubMember, "place">[]): boolean =>
  new Set(members.map(({ place }) => (place.kind === "docker" ? (place.engine.url ?? "") : ""))).size > 1;

/** The system account of each server. */
export const membersAccess = (members: readonly Pick<HubMember, "url">[], seed: string): Access[] =>
  members.map(({ url }) => ({ url, seed }));

/** The files of a server of the hub; undefined while its container is not there yet. */
const filesOf = ({ place }: Pick<HubMember, "place">): Promise<ServerFiles | undefined> =>
  hostOf(place)
    .files()
    .catch((error: unknown) => {
      if (error instanceof PlaceGone) return undefined;
      throw error;
    });

/**
 * Gives a server of the hub that has no declarations of sites those of another one: its folder or volume is new. Another
 * one whose container is not there yet has none either.
 */
export async function bringLinks(files: ServerFiles, members: readonly Pick<HubMember, "place">[]): Promise<void> {
  for (const member of thereOf(members)) {
    if (files.list(LINKS).length > 0) return;
    const other = await filesOf(member);
    for (const name of other?.list(LINKS) ?? []) files.write(`${LINKS}/${name}`, other?.read(`${LINKS}/${name}`) ?? "");
    const held = other?.read(HELD_FILE);
    if (held !== undefined) files.write(HELD_FILE, held);
  }
}

/** How the declarations of a server differ from those of most servers. */
export interface MissedLinks {
  /** By name of the file. */
  added: Map<string, string>;
  dropped: string[];
}

/**
 * What a server whose machine was away has missed: sites that came, and sites that went, whose keys would open it still.
 * Most servers of the hub know it; undefined for nothing, and while one of them cannot tell.
 */
export async function missedLinks(
  files: ServerFiles,
  own: Place,
  members: readonly Pick<HubMember, "place">[],
): Promise<MissedLinks | undefined> {
  if (thereOf(members).length < members.length) return undefined;
  const found = await Promise.all(members.filter(({ place }) => place.folder !== own.folder).map(filesOf));
  const others = found.filter((other) => other !== undefined);
  if (others.length < found.length) return undefined;
  const mine = files.list(LINKS);
  const having = (name: string): ServerFiles[] => others.filter((other) => other.list(LINKS).includes(name));
  const isMost = (count: number): boolean => count > members.length / 2;
  const missing = [...new Set(others.flatMap((other) => other.list(LINKS)))].filter((name) => !mine.includes(name));
  const added = missing.filter((name) => isMost(having(name).length));
  const dropped = mine.filter((name) => !isMost(having(name).length + 1));
  if (added.length + dropped.length === 0) return undefined;
  const textOf = (name: string): string => having(name)[0]?.read(`${LINKS}/${name}`) ?? "";
  return { added: new Map(added.map((name) => [name, textOf(name)])), dropped };
}

/** Gives the server what it missed. Resolves with the sites concerned. */
export function catchUp(files: ServerFiles, { added, dropped }: MissedLinks): string[] {
  for (const [name, text] of added) files.write(`${LINKS}/${name}`, text);
  for (const name of dropped) files.remove(`${LINKS}/${name}`);
  return [...new Set([...added.keys(), ...dropped].map((name) => name.split(".")[0] ?? ""))];
}
