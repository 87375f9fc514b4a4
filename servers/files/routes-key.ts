import { ServerFiles } from "./server-files";

/** What the servers of a hub of several authenticate each other with, beside the declarations that a configuration is rendered from. */

const ROUTES_FILE = "routes.key";

/** Stores it; nothing for a hub of one server. */
export const noteRoutesKey = (files: ServerFiles, key: string | undefined): void =>
  key === undefined ? undefined : files.write(ROUTES_FILE, key);

export const routesKeyIn = (files: ServerFiles): string | undefined => files.read(ROUTES_FILE);
