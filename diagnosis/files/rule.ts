import type { Position } from "../../configs/format/parse";
import type { ConfigDraft } from "./finding";
import type { Hub, Link, LinkedFleet } from "./links";

/** The form of the rules over configuration files. */

export interface ConfigContext {
  fleet: LinkedFleet;
  /** The text of a file that a configuration names; undefined when it is not there. */
  readFile(path: string): string | undefined;
  /** ms since 1970; undefined where dates are not judged. */
  now?: number | undefined;
}

/** A link whose hub is known. */
export interface HubLink extends Link {
  hub: Hub;
}

export type Rule<T> = (subject: T, context: ConfigContext) => Iterable<ConfigDraft>;

export const hasHub = (link: Link): link is HubLink => link.hub !== undefined;

export const place = ({ file, line }: Position): string => `${file}:${line}`;
