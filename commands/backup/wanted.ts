import { OWNER, type StreamConfig, hubStreamConfig } from "../../configs/streams";
import type { StreamInfo } from "../../servers/nats/jetstream";
import type { HubStream } from "./hub-streams";
import type { SavedStream } from "./manifest";

// The configuration of a restored stream: as the backup has it, and in what is declared as the settings have it now.

/** Metadata of a stream whose restore was not completed. */
const UNFINISHED = "nats-hub-leaf.restoring";

/** Without sources. */
export function wantedConfig({ stream, sites }: HubStream, { config }: SavedStream): StreamConfig {
  const { sources: _sources, subjects: _subjects, ...own } = config;
  const declared = hubStreamConfig(stream, sites[0]?.stack ?? config.metadata[OWNER] ?? "");
  return { ...own, ...declared, metadata: { ...own.metadata, ...declared.metadata } };
}

/** The same, while the stream is not whole: without a source it takes nothing that would stand before the rest. */
export function unfinishedConfig(hub: HubStream, saved: SavedStream): StreamConfig {
  const config = wantedConfig(hub, saved);
  return { ...config, metadata: { ...config.metadata, [UNFINISHED]: "1" } };
}

/** Whether an interrupted restore left it. */
export const isUnfinished = ({ config }: StreamInfo): boolean => config.metadata[UNFINISHED] !== undefined;
