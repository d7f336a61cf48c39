/** A gRPC client as somebody at a server, and what it reads of streams. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Grant } from "../../lib/contract/mod.ts";
import { grpcAddresses, type GrpcAnswer, type GrpcCall, type GrpcClient } from "./grpc.ts";
import { personWith } from "./people.ts";
import type { TestServer } from "./server.ts";

/** Names of the services. */
export const KVM = "kvmmanager.v1.KvmManager", SEED = "mvirt.VmService";
const EVERYTHING: Grant["on"] = { kind: "everything" };
/** Arguments with which a server has gRPC, plain and with TLS. */
export const GRPC_LISTEN = ["--grpc-listen", "127.0.0.1:0", "--grpc-listen", "https://127.0.0.1:0"];

/** The client, at a server, as somebody. */
export class Caller {
  constructor(
    readonly client: GrpcClient,
    readonly target: string,
    readonly metadata: GrpcCall["metadata"] = [],
    readonly ca?: string,
  ) {}

  about(method: string, request: unknown = {}, more: Partial<GrpcCall> = {}): GrpcCall {
    const { target, metadata, ca } = this;
    return { target, method, request, metadata: metadata!, ...(ca !== undefined && { ca }), ...more };
  }

  raw(method: string, request: unknown = {}, more: Partial<GrpcCall> = {}): Promise<GrpcAnswer> {
    return this.client.unary(this.about(method, request, more));
  }

  /** A call that is carried out. */
  async call(method: string, request: unknown = {}): Promise<Readonly<Record<string, never>>> {
    const answer = await this.raw(method, request);
    assert.equal(answer.error, undefined, `${method}: ${answer.error} ${answer.details}`);
    return answer.reply as Readonly<Record<string, never>>;
  }

  /** The code of a call that is refused, and the contract's. */
  async refused(
    method: string,
    request: unknown = {},
    more: Partial<GrpcCall> = {},
  ): Promise<[string, string]> {
    const { error = "", trailers, reply } = await this.raw(method, request, more);
    assert.equal(reply, undefined, `${method} was carried out`);
    return [error, trailers?.["kvmm-error-code"] ?? ""];
  }
}

/** The client with a token of a new account that has a role on everything. */
export async function callerAs(client: GrpcClient, server: TestServer, role: string): Promise<Caller> {
  const person = await personWith(server, `grpc-${role}`, [{ role, on: EVERYTHING }]);
  return new Caller(client, grpcAddresses(server).plain, [["authorization", person.headers.authorization!]]);
}

/** Output of a console. */
export const shownIn = (messages: GrpcAnswer["messages"] = []) =>
  messages.map(({ data }) => Buffer.from(String(data ?? ""), "base64").toString()).join("");

/** A message of a console that types something. */
export const typed = (text: string) => ({ data: Buffer.from(text).toString("base64") });

/** Reads a stream until it has shown something. */
export async function reads(client: GrpcClient, stream: string, wanted: string): Promise<string> {
  let shown = "";
  const end = performance.now() + 60_000;
  while (!shown.includes(wanted)) {
    const { messages, error, details, end: isOver } = await client.op("next", { stream });
    shown += shownIn(messages);
    assert.ok(
      error === undefined && !isOver && performance.now() < end,
      `${error} ${details}: ${shown.slice(-300)}`,
    );
  }
  return shown;
}
