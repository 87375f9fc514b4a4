import { CLONE_ROWS } from "./catalogue-clones";
import { CARRIED_ROWS } from "./catalogue-carried";
import { DISK_ROWS } from "./catalogue-disks";
import { LINK_ROWS } from "./catalogue-links";
import { LOSS_ROWS } from "./catalogue-losses";
import { PAIR_ROWS } from "./catalogue-pairs";
import { STREAM_ROWS } from "./catalogue-streams";
import { STRESS_ROWS } from "./catalogue-stress";
import { REFUSAL_ROWS } from "./catalogue-refusals";
import { Row } from "./catalogue";

/** The whole catalogue, in the order in which docs/catalogue.md shows it. */
export const GROUPS: Record<string, readonly Row[]> = {
  "Servers, keys, links": [...LINK_ROWS, ...CLONE_ROWS],
  "What the link carries": CARRIED_ROWS,
  "Streams, sources, limits": STREAM_ROWS,
  "Full disks": DISK_ROWS,
  "Refused at the site, frozen, hung": REFUSAL_ROWS,
  Losses: LOSS_ROWS,
  "Two mistakes at once": PAIR_ROWS,
  "Nothing wrong: busy, slow, or just back": STRESS_ROWS,
};
