import { type Server, createServer } from "node:net";
import { freePorts } from "../free-ports";

/** Takes a port, as a foreign program would. Not one of those that the system gives to clients: it stays free afterwards. */
export async function occupy(): Promise<{ port: number; server: Server }> {
  const port = await freePorts(1);
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  return { port, server };
}

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const { port, server } = await occupy();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
