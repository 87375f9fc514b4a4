import { StreamSettings } from "../../configs/settings";
import { SiteAccess } from "../sourcing/collected";

/** What the streams of one site are made of. */

export interface StreamsInputs {
  site: string;
  expect: "online" | "offline";
  stack: string;
  root: string;
  streams: StreamSettings[];
  /** How site and hub are reached; the seeds are secret. */
  access: Omit<SiteAccess, "site" | "expect">;
}

export const accessOf = ({ site, expect, access }: StreamsInputs): SiteAccess => ({ site, expect, ...access });
