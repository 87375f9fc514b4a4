import * as grpc from "@grpc/grpc-js";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { refusedOptions } from "./connection";
import { DockerProvider, HalfMade } from "./provider";
import type { Change, Failure } from "./schema";
import type { Properties } from "./values";

/**
 * The engine's calls, as DockerProvider's. Not through `provider.main` of @pulumi/pulumi: that keeps the provider's
 * configuration and the preview flag from the provider.
 */

type Call<Request> = grpc.ServerUnaryCall<Request, unknown>;
type Callback<Response> = grpc.sendUnaryData<Response>;

const { DiffChanges } = messages.DiffResponse;
const { Kind } = messages.PropertyDiff;

export class Handlers {
  private readonly docker = new DockerProvider();
  /** Calls that are still under way. */
  pending = 0;

  constructor(private readonly version: string) {}

  all(): grpc.UntypedServiceImplementation {
    return {
      getPluginInfo: this.answered(() => new PluginInfo().setVersion(this.version)),
      attach: this.answered(() => new Empty()),
      cancel: this.answered(() => new Empty()),
      getSchema: this.answered(() => new messages.GetSchemaResponse().setSchema("{}")),
      checkConfig: this.answered((request: messages.CheckRequest) => {
        const news = properties(request.getNews());
        return checkResponse(news, refusedOptions(news));
      }),
      configure: this.answered((request: messages.ConfigureRequest) => this.configure(request)),
      check: this.answered((request: messages.CheckRequest) => {
        const [olds, news] = [properties(request.getOlds()), properties(request.getNews())];
        const { inputs, failures } = this.docker.check(request.getUrn(), olds, news);
        return checkResponse(inputs, failures);
      }),
      diff: this.answered((request: messages.DiffRequest) => this.diff(request)),
      create: this.answered((request: messages.CreateRequest) => this.create(request)),
      read: this.answered((request: messages.ReadRequest) => this.read(request)),
      update: this.answered((request: messages.UpdateRequest) => this.update(request)),
      delete: this.answered(async (request: messages.DeleteRequest) => {
        await this.docker.delete(request.getUrn(), request.getId(), properties(request.getProperties()));
        return new Empty();
      }),
    };
  }

  private answered<Request, Response>(answer: (request: Request) => Response | Promise<Response>) {
    return (call: Call<Request>, callback: Callback<Response>): void => {
      this.pending += 1;
      Promise.resolve()
        .then(() => answer(call.request))
        .then(
          (response) => callback(null, response),
          (error: unknown) => callback(asStatus(error)),
        )
        .finally(() => (this.pending -= 1))
        .catch(() => undefined);
    };
  }

  private async configure(request: messages.ConfigureRequest): Promise<messages.ConfigureResponse> {
    const variables = request.getVariablesMap().getEntryList();
    await this.docker.configure(
      Object.fromEntries(variables.map(([key, value]) => [key.replace(/^docker:config:/, ""), value])),
    );
    // No secrets: then the engine sends them in clear, and marks again what comes back.
    return new messages.ConfigureResponse().setSupportspreview(true);
  }

  private diff(request: messages.DiffRequest): messages.DiffResponse {
    const { changes, deleteBeforeReplace } = this.docker.diff(
      request.getUrn(),
      properties(request.getOlds()),
      properties(request.getNews()),
      request.getIgnorechangesList(),
    );
    const response = new messages.DiffResponse()
      .setChanges(changes.length === 0 ? DiffChanges.DIFF_NONE : DiffChanges.DIFF_SOME)
      .setDiffsList(changes.map(({ key }) => key))
      .setReplacesList(changes.filter(({ replaces }) => replaces).map(({ key }) => key))
      .setDeletebeforereplace(deleteBeforeReplace)
      .setHasdetaileddiff(true);
    for (const change of changes) {
      response.getDetaileddiffMap().set(change.key, new messages.PropertyDiff().setKind(kindOf(change)));
    }
    return response;
  }

  private async create(request: messages.CreateRequest): Promise<messages.CreateResponse> {
    const inputs = properties(request.getProperties());
    const response = new messages.CreateResponse();
    if (request.getPreview()) return response.setProperties(struct(this.docker.planned(request.getUrn(), inputs)));
    const { id, state } = await this.docker.create(request.getUrn(), inputs);
    return response.setId(id).setProperties(struct(state));
  }

  private async read(request: messages.ReadRequest): Promise<messages.ReadResponse> {
    const [state, inputs] = [properties(request.getProperties()), properties(request.getInputs())];
    const found = await this.docker.read(request.getUrn(), request.getId(), state, inputs);
    // Without an id: it is gone.
    if (found === undefined) return new messages.ReadResponse();
    return new messages.ReadResponse()
      .setId(found.id)
      .setProperties(struct(found.state))
      .setInputs(struct(found.inputs));
  }

  private async update(request: messages.UpdateRequest): Promise<messages.UpdateResponse> {
    const [urn, id] = [request.getUrn(), request.getId()];
    const [olds, news] = [properties(request.getOlds()), properties(request.getNews())];
    const state = request.getPreview()
      ? this.docker.updated(urn, olds, news)
      : await this.docker.update(urn, id, olds, news);
    return new messages.UpdateResponse().setProperties(struct(state));
  }
}

const properties = (from: Struct | undefined): Properties => (from?.toJavaScript() as Properties | undefined) ?? {};
const struct = (from: Properties): Struct => Struct.fromJavaScript(from);

function checkResponse(inputs: Properties, failures: readonly Failure[]): messages.CheckResponse {
  return new messages.CheckResponse()
    .setInputs(struct(inputs))
    .setFailuresList(
      failures.map(({ property, reason }) => new messages.CheckFailure().setProperty(property).setReason(reason)),
    );
}

function kindOf({ kind, replaces }: Change): messages.PropertyDiff.Kind {
  switch (kind) {
    case "add":
      return replaces ? Kind.ADD_REPLACE : Kind.ADD;
    case "delete":
      return replaces ? Kind.DELETE_REPLACE : Kind.DELETE;
    case "update":
      return replaces ? Kind.UPDATE_REPLACE : Kind.UPDATE;
  }
}

/** An error as the engine wants it; with what is to be kept of a resource that is half made. */
function asStatus(error: unknown): Partial<grpc.StatusObject> {
  const details = error instanceof Error ? error.message : String(error);
  const metadata = new grpc.Metadata();
  if (error instanceof HalfMade) {
    const failed = new messages.ErrorResourceInitFailed()
      .setId(error.id)
      .setProperties(struct(error.state))
      .setReasonsList([details]);
    const packed = new Any();
    packed.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const status = new Status().setCode(grpc.status.UNKNOWN).setMessage(details).setDetailsList([packed]);
    metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  }
  return { code: grpc.status.UNKNOWN, details, metadata };
}
