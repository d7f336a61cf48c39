/** The server on real connections, with a dispatch of the test's own. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import Type from "typebox";
import { type Command, command, COMMANDS, ContractError } from "../../lib/contract/mod.ts";
import { closed } from "../../lib/contract/schema.ts";
import { ALL_RIGHTS } from "../../lib/access/rights.ts";
import { GRPC } from "../../lib/grpc/status.ts";
import { principalOf } from "../access.ts";
import type { Dispatch } from "../dispatch.ts";
import { EventHub } from "../events/hub.ts";
import { Rate } from "../limits.ts";
import { grpcApi } from "./api.ts";
import { GrpcServer } from "./server.ts";

const KVM = "/kvmmanager.v1.KvmManager/", TYPE = "kvmmanager.v1.";

/** A dispatched call. */
interface Asked {
  readonly command: string;
  readonly input: unknown;
  readonly door: string;
  readonly on: string | undefined;
}

async function serving(run: Dispatch, commands: Readonly<Record<string, Command>> = COMMANDS) {
  const hub = new EventHub(), asked: Asked[] = [], api = grpcApi(commands);
  const grpc = new GrpcServer(
    {
      access: {
        identify: (request, { door }) => {
          if (request.headers.get("authorization") !== "Bearer good") throw new ContractError("TokenInvalid");
          return principalOf({ name: "ann", door, via: "token", rights: ALL_RIGHTS });
        },
      },
      dispatch: async (command, input, principal, content, on) => {
        asked.push({ command, input, door: principal.door, on });
        return await run(command, input, principal, content, on);
      },
      hub,
      consoles: {
        attach: () => {
          throw new ContractError("ConsoleTicket");
        },
      },
      places: { vm: () => undefined, vmsOn: () => [] },
      vms: () => [],
      heads: () => ({ "x-missing-hosts": "kvm2" }),
      rate: new Rate(),
      originOf: () => ({ address: "192.0.2.1", remember: () => {} }),
    },
    api,
    commands,
  );
  const connections = grpc.connections(undefined), sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    connections.inject(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set("authorization", "Bearer good");
  metadata.set("kvmm-host", "kvm2");
  const bytes = (type: string, value: unknown) => Buffer.from(api.codec.encode(TYPE + type, value));
  return {
    hub,
    asked,
    api,
    client,
    metadata,
    call: (name: string, request: unknown, as = metadata) =>
      new Promise<unknown>((resolve, reject) => {
        client.makeUnaryRequest(
          KVM + name,
          (value: unknown) => bytes(`${name}Request`, value),
          // The client takes null for no message
          (message: Buffer) => ({ reply: api.codec.decode(`${TYPE}${name}Reply`, message) }),
          request,
          as,
          (error: ServiceError | null, value: unknown) => error === null ? resolve(value) : reject(error),
        );
      }),
    watch: () =>
      client.makeServerStreamRequest(
        `${KVM}WatchEvents`,
        (value: unknown) => bytes("WatchEventsRequest", value),
        (message: Buffer) => api.codec.decode(`${TYPE}Event`, message),
        { names: [], figures: false },
        metadata,
      ),
    async [Symbol.asyncDispose]() {
      client.close();
      connections.close();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

Deno.test("a call is dispatched as who calls, by the door grpc, on the host that is meant", async () => {
  await using own = await serving(() => Promise.resolve(null));
  assert.deepEqual(await own.call("StartVm", { vmId: "u-1" }), { reply: null });
  assert.deepEqual(own.asked, [{ command: "start_vm", input: { vmId: "u-1" }, door: "grpc", on: "kvm2" }]);
});

Deno.test("errors have gRPC's code, the text, and the contract's code and details; what is unknown is internal", async () => {
  const thrown = [new ContractError("VmNotFound", { vmId: "u-1" }), new Error("secret")];
  await using own = await serving(() => Promise.reject(thrown.shift()));
  const fails = async () =>
    await own.call("StartVm", { vmId: "u-1" }).catch((error: ServiceError) => error) as ServiceError;
  const known = await fails();
  assert.deepEqual([known.code, known.details], [GRPC.NOT_FOUND, "VM not found: u-1"]);
  assert.deepEqual(known.metadata.get("kvmm-error-code"), ["VmNotFound"]);
  const [status] = known.metadata.get("grpc-status-details-bin");
  const { code, details } = own.api.codec.decode("google.rpc.Status", status as Buffer) as {
    code: number;
    details: { value: Uint8Array }[];
  };
  const info = own.api.codec.decode("google.rpc.ErrorInfo", details[0]!.value);
  assert.deepEqual([code, info], [5, {
    reason: "VmNotFound",
    domain: "kvm-manager",
    metadata: { vmId: "u-1" },
  }]);
  const unknown = await fails();
  assert.equal(unknown.code, GRPC.INTERNAL);
  assert.ok(!unknown.details.includes("secret"));
});

Deno.test("who is not let in reaches no command", async () => {
  await using own = await serving(() => Promise.resolve(null));
  const failed = await own.call("StartVm", { vmId: "u-1" }, new Metadata()).catch((error: ServiceError) =>
    error.code
  );
  assert.deepEqual([failed, own.asked], [GRPC.UNAUTHENTICATED, []]);
});

Deno.test("a command that is added to the contract is a method without another line", async () => {
  const added = command({
    summary: "Paint a VM",
    role: "operator",
    input: closed({ vmId: Type.String(), colours: Type.Optional(Type.Array(Type.String())) }),
    output: Type.Object({ layers: Type.Integer() }),
    errors: [],
    route: "POST /vms/{vmId}/paint",
    cli: ["vm", "paint", "<vmId>"],
    readOnly: false,
  });
  await using own = await serving(() => Promise.resolve({ layers: 2 }), { ...COMMANDS, paint_vm: added });
  assert.deepEqual(await own.call("PaintVm", { vmId: "u-1", colours: [] }), { reply: { layers: 2 } });
  assert.deepEqual(own.asked[0]!.input, { vmId: "u-1", colours: [] });
});

Deno.test("events come as they happen; a client that does not read them is cut off, and holds up no event", async () => {
  await using own = await serving(() => Promise.resolve(null));
  const stream = own.watch();
  await new Promise((resolve) => stream.once("metadata", resolve));
  const first = new Promise<unknown>((resolve) => stream.once("data", resolve));
  own.hub.publish("vm-deleted", { vmId: "u-1" });
  const { vmDeleted } = await first as { vmDeleted: unknown };
  assert.deepEqual(vmDeleted, { vmId: "u-1" });
  stream.pause();
  const ended = new Promise<ServiceError>((resolve) =>
    stream.once("error", (error) => resolve(error as ServiceError))
  );
  // More than any window of flow control takes
  const message = "x".repeat(64 * 1024);
  for (let at = 0; at < 400; at++) {
    own.hub.publish("error", { message });
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  stream.resume();
  const { code, metadata } = await ended;
  assert.deepEqual([code, metadata.get("kvmm-error-code")], [GRPC.RESOURCE_EXHAUSTED, ["StreamNotRead"]]);
});
