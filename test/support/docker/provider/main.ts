import { connect } from "node:net";
import * as grpc from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { version } from "@pulumi/docker/package.json";
import { Handlers } from "./server";

// Serves the CLI that started this process, which reads the port from the standard output.

const handlers = new Handlers(version);
const server = new grpc.Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
server.addService(ResourceProviderService, handlers.all());
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  console.log(String(port));
});

// A CLI that was killed leaves its plugins behind; the official one then ends what it was at, and goes too.
const LOOK_FOR_CLI_MS = 1_000;
const [engineAddress] = process.argv.slice(2);
if (engineAddress !== undefined) {
  const [host = "", enginePort = ""] = engineAddress.split(":");
  setInterval(() => {
    const socket = connect({ host, port: Number(enginePort) }, () => socket.destroy());
    socket.once("error", () => {
      if (handlers.pending === 0) process.exit();
    });
  }, LOOK_FOR_CLI_MS);
}
