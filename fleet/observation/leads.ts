import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { Lead, SiteFacts } from "../../diagnosis/facts/facts";
import { makeFolder, readJson, writePrivate } from "../../machine/folders";

/**
 * Which server of a hub of several leads each collected stream, as the proof or the doctor saw it last: a small file for
 * each site, for the picture of the fleet. It is gone with the stack's folder.
 */

const folderOf = (root: string): string => join(resolve(root), "leads");

/** Keeps what was seen of one site. Never throws: who looks may not be allowed to write here. */
export function noteLeads(root: string, { site, streams }: Pick<SiteFacts, "site" | "streams">): void {
  const at = `${new Date().toISOString().slice(0, 19)}Z`;
  const leads = streams.flatMap(({ collectedAs: stream, onHub }): Lead[] =>
    typeof onHub !== "object" || onHub.leader === undefined ? [] : [{ stream, leader: onHub.leader, at }],
  );
  if (leads.length === 0 || !existsSync(root)) return;
  try {
    makeFolder(folderOf(root));
    writePrivate(join(folderOf(root), site), JSON.stringify(leads));
  } catch {
    // The picture shows what was seen before, with its time.
  }
}

/** What was seen last of each stream; all sites of a merged stream see the same one. */
export function leadsIn(root: string): Lead[] {
  const last = new Map<string, Lead>();
  for (const lead of filesIn(folderOf(root)).flatMap(readLeads))
    if ((last.get(lead.stream)?.at ?? "") < lead.at) last.set(lead.stream, lead);
  return [...last.values()].sort((a, b) => (a.stream < b.stream ? -1 : 1));
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.endsWith(".tmp"))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function readLeads(file: string): Lead[] {
  try {
    return readJson<Lead[]>(file) ?? [];
  } catch {
    return [];
  }
}
