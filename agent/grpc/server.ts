/**
 * gRPC by @grpc/grpc-js, on connections that listeners of ours took in: it has the protocol, we have who may call, and what
 * is done. Loaded with the first connection. Every command ends in dispatch.
 */
import type { Duplex } from "node:stream";
import { Buffer } from "node:buffer";
import {
  type handleUnaryCall,
  Metadata,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { ContractError } from "../../lib/contract/errors.ts";
import type { Command, CommandName, ConsoleTicket, Input } from "../../lib/contract/mod.ts";
import type { ContractMethod } from "../../lib/grpc/contract_file.ts";
import { HEALTH_SERVICE } from "../../lib/grpc/known_files.ts";
import type { ProtoMethod } from "../../lib/grpc/model.ts";
import { SEED_SERVICE } from "../../lib/grpc/seed_file.ts";
import { hasTexts, localeFor } from "../../lib/i18n/locale.ts";
import type { Principal, SocketPeer } from "../access.ts";
import type { Dispatch } from "../dispatch.ts";
import { ANONYMOUS_BODY_LIMIT, BODY_LIMIT } from "../http/body.ts";
import { inLanguage, withLocale } from "../i18n/request_locale.ts";
import { log } from "../log.ts";
import type { GrpcApi } from "./api.ts";
import { callerOf, headOf } from "./callers.ts";
import { bodyOf, sendContent, type UploadPart, uploadStart } from "./content.ts";
import { type ConsoleMessages, GrpcConsolePeer, requireDone } from "./console_peer.ts";
import { EventFeeds } from "./event_feed.ts";
import { Incoming } from "./incoming.ts";
import { OutgoingMessages } from "./outgoing.ts";
import { Reflection, type ReflectionRequest } from "./reflection.ts";
import { seedCalls } from "./seed_calls.ts";
import { bufferOf, statusOf } from "./status.ts";
import type { GrpcWorld } from "./world.ts";

/** Bounds of a connection. */
const OPTIONS = {
  // One body, as at the API
  "grpc.max_receive_message_length": BODY_LIMIT,
  "grpc.max_send_message_length": -1,
  /** Calls at once. */
  "grpc.max_concurrent_streams": 100,
  // Whoever is gone without a word is found
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.max_connection_idle_ms": 600_000,
  // Megabytes of heads and frames that nghttp2 keeps of one
  "grpc-node.max_session_memory": 10,
  "grpc.enable_channelz": 0,
} as const;

/** The metadata that names the host that is meant, as `?host=` of the API. */
const HOST_HEAD = "kvmm-host";

type UnaryCall = ServerUnaryCall<Buffer, Buffer>;
type Call =
  | UnaryCall
  | ServerReadableStream<Buffer, Buffer>
  | ServerWritableStream<Buffer, Buffer>
  | ServerDuplexStream<Buffer, Buffer>;

const asBuffer = (message: Buffer) => message;

const definitionOf = (service: string, { name, clientStreams, serverStreams }: ProtoMethod) => ({
  path: `/${service}/${name}`,
  requestStream: clientStreams ?? false,
  responseStream: serverStreams ?? false,
  requestSerialize: asBuffer,
  requestDeserialize: asBuffer,
  responseSerialize: asBuffer,
  responseDeserialize: asBuffer,
});

/** A handler with the types that its method has. */
type Handler = UntypedServiceImplementation[string];

/** Takes connections in, as one user of the UNIX socket or as whoever shows a token. */
export interface GrpcConnections {
  inject(connection: Duplex): void;
  /** Ends all at once. */
  close(): void;
}

export class GrpcServer {
  readonly #principals = new WeakMap<Metadata, Principal>();
  readonly #feeds: EventFeeds;
  readonly #reflection: Reflection;
  readonly #open: ReadonlySet<string>;

  constructor(
    private readonly world: GrpcWorld,
    private readonly api: GrpcApi,
    commands: Readonly<Record<string, Command>>,
  ) {
    this.#feeds = new EventFeeds(world);
    this.#reflection = new Reflection(api.files);
    const [service] = api.contract.file.services;
    this.#open = new Set([
      `/${HEALTH_SERVICE}/Check`,
      `/${HEALTH_SERVICE}/Watch`,
      ...api.contract.methods.flatMap(({ name, command }) =>
        command !== undefined && commands[command]?.permission === "anyone"
          ? [`/${service!.name}/${name}`]
          : []
      ),
    ]);
  }

  /** A server for connections of one user of the UNIX socket, or of TCP. */
  connections(peer: SocketPeer | undefined): GrpcConnections {
    const server = new Server({ ...OPTIONS, interceptors: [this.#interceptor(peer)] });
    this.#register(server);
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    return {
      inject: (connection) => injector.injectConnection(connection),
      close: () => {
        injector.destroy();
        server.forceShutdown();
      },
    };
  }

  /** Finds out who calls before anything of the call is read. */
  #interceptor(peer: SocketPeer | undefined): ServerInterceptor {
    return ({ path }, call) => {
      let most = BODY_LIMIT;
      const refuse = (error: unknown) => call.sendStatus(statusOf(this.api.codec, error));
      return new ServerInterceptingCall(call, {
        start: (next) =>
          next({
            onReceiveMetadata: (metadata, proceed) => {
              try {
                const principal = this.#identify(metadata, call, { peer, path });
                if (principal.via === "nobody") most = ANONYMOUS_BODY_LIMIT;
                this.#principals.set(metadata, principal);
              } catch (error) {
                return refuse(error);
              }
              proceed(metadata);
            },
            onReceiveMessage: (message: Buffer, proceed) => {
              if (message.length > most) refuse(new ContractError("BodyTooLarge", { limit: most }));
              else proceed(message);
            },
          }),
      });
    };
  }

  #identify(
    metadata: Metadata,
    call: ServerInterceptingCallInterface,
    { peer, path }: { peer: SocketPeer | undefined; path: string },
  ): Principal {
    const { access, rate, originOf } = this.world;
    const origin = peer === undefined
      ? originOf(call.getPeer(), metadata, call.getHost())
      : { address: "", remember: () => {} };
    return callerOf(access, metadata, { ...origin, peer }, { isOpen: this.#open.has(path), rate });
  }

  #register(server: Server): void {
    const { contract, files } = this.api;
    const handlers = new Map<string, Handler>(
      contract.methods.map((
        method,
      ) => [`${contract.file.services[0]!.name}.${method.name}`, this.#handler(method)]),
    );
    for (const { name, methods } of files.flatMap(({ services }) => services)) {
      const definition: ServiceDefinition = {}, implementation: UntypedServiceImplementation = {};
      for (const method of methods) {
        Object.assign(definition, { [method.name]: definitionOf(name, method) });
        implementation[method.name] = handlers.get(`${name}.${method.name}`) ?? this.#own(name, method);
      }
      server.addService(definition, implementation);
    }
  }

  /** Handler of a method of the contract's service. */
  #handler(method: ContractMethod): Handler {
    switch (method.kind) {
      case "unary":
        return this.#unary(method, (input, call) => this.#command(method.command!, input, call));
      case "upload":
        return this.#upload(method);
      case "download":
        return this.#streaming(method, async (input, call, outgoing) => {
          const write = (part: unknown) => this.#message(method.output, part);
          await sendContent(
            outgoing,
            write,
            (content) => this.#command(method.command!, input, call, content),
          );
        });
      case "lines":
        return this.#streaming(
          method,
          (input, call, outgoing) => this.#lines(method, input, { call, outgoing }),
        );
      case "events":
        return this.#streaming(method, async (input, call, outgoing) => {
          const { since, figures, names } = input as { since?: string; figures: boolean; names: string[] };
          const wanted = { since, figures: figures ? "on" : "off", names, vmIds: [] } as const;
          await this.#feed(method, wanted, { call, outgoing });
        });
      case "metrics":
        return this.#streaming(method, async (input, call, outgoing) => {
          const { vmIds } = input as { vmIds: string[] };
          await this.#feed(method, { figures: "only", names: [], vmIds }, { call, outgoing });
        });
      case "console": {
        const typed = (message: Uint8Array) =>
          (this.#read(method.input, message) as UploadPart).data ?? NOTHING;
        return this.#console(method, typed, (message) => {
          const { open } = this.#read(method.input, message) as { open?: Input<"open_console"> };
          if (open === undefined) {
            throw new ContractError("InvalidInput", {
              reason: "the first message has open, which console is meant",
            });
          }
          return { open, typed: NOTHING };
        });
      }
    }
  }

  /** Handler of a method of the seed's service, of health or of reflection. */
  #own(service: string, method: ProtoMethod): Handler {
    if (service === SEED_SERVICE && method.name === "Console") {
      return this.#console(
        method,
        (message) => (this.#read(method.input, message) as UploadPart).data ?? NOTHING,
        (message) => {
          const { vmId, data } = this.#read(method.input, message) as { vmId: string; data: Uint8Array };
          return { open: { vmId, kind: "serial" }, typed: data };
        },
      );
    }
    if (service === SEED_SERVICE) {
      return this.#unary(method, (input, call) => {
        const calls = seedCalls(
          (command, given) => this.#command(command, given, call),
          () => call.cancelled,
        );
        return calls[method.name]!(input as never);
      });
    }
    if (service === HEALTH_SERVICE && method.name === "Check") {
      return this.#unary(method, (input) => Promise.resolve({ status: this.#healthOf(input, true) }));
    }
    if (service === HEALTH_SERVICE) {
      return this.#streaming(method, async (input, _call, outgoing) => {
        await outgoing.send(this.#message(method.output, { status: this.#healthOf(input, false) }));
        // What is served now is served as long as this connection
        await new Promise<void>((resolve) => {
          if (outgoing.gone.aborted) resolve();
          else outgoing.gone.addEventListener("abort", () => resolve(), { once: true });
        });
      });
    }
    return this.#duplex(async (call: ServerDuplexStream<Buffer, Buffer>, outgoing) => {
      const incoming = new Incoming(call);
      for (let message = await incoming.next(); message !== null; message = await incoming.next()) {
        const answer = this.#reflection.answer(this.#read(method.input, message) as ReflectionRequest);
        if (!await outgoing.send(this.#message(method.output, answer))) return;
      }
    });
  }

  /** @throws {ContractError} NotFound for a service that there is not, where that is asked for */
  #healthOf(input: unknown, isStrict: boolean): string {
    const { service } = input as { service: string };
    const isServed = service === "" ||
      this.api.files.some(({ services }) => services.some(({ name }) => name === service));
    if (!isServed && isStrict) throw new ContractError("NotFound", { path: service.slice(0, 128) });
    return isServed ? "SERVING" : "SERVICE_UNKNOWN";
  }

  #principal({ metadata }: { readonly metadata: Metadata }): Principal {
    const principal = this.#principals.get(metadata);
    if (principal === undefined) throw new Error("a call came past the one who looks who calls");
    return principal;
  }

  #read(type: string, message: Uint8Array): unknown {
    return this.api.codec.decode(type, message);
  }

  #message(type: string, value: unknown): Buffer {
    return bufferOf(this.api.codec.encode(type, value));
  }

  /** Carries a command out, as who calls. */
  async #command(
    command: string,
    input: unknown,
    call: Call,
    content?: Parameters<Dispatch>[3],
  ): Promise<unknown> {
    const host = headOf(call.metadata, HOST_HEAD);
    return await this.world.dispatch(command, input, this.#principal(call), content, host);
  }

  /** Runs something in the language of a call. */
  #inLanguage({ metadata }: { readonly metadata: Metadata }, run: () => void): void {
    const language = localeFor(headOf(metadata, "accept-language") ?? null);
    if (hasTexts(language)) withLocale(language, run);
    else void inLanguage(language, run);
  }

  #unary(
    method: ProtoMethod & { readonly command?: string },
    run: (input: unknown, call: UnaryCall) => Promise<unknown>,
  ): Handler {
    const handle: handleUnaryCall<Buffer, Buffer> = (call, done: sendUnaryData<Buffer>) => {
      const carryOut = async () => {
        const input = this.#read(method.input, call.request), answer = await run(input, call);
        if (method.command !== undefined) this.#sendHeads(method.command as CommandName, input, call);
        return this.#message(method.output, answer);
      };
      this.#inLanguage(call, () => {
        carryOut().then(
          (answer) => done(null, answer),
          (error) => done(statusOf(this.api.codec, error)),
        );
      });
    };
    return handle as Handler;
  }

  /** Says which hosts an answer has nothing of. */
  #sendHeads(command: CommandName, input: unknown, call: UnaryCall): void {
    const host = (input as { host?: unknown } | null)?.host ?? headOf(call.metadata, HOST_HEAD);
    const heads = Object.entries(this.world.heads(command, host, this.#principal(call)));
    if (heads.length === 0) return;
    const metadata = new Metadata();
    for (const [name, value] of heads) metadata.set(name, value);
    call.sendMetadata(metadata);
  }

  #upload(method: ContractMethod): Handler {
    const handle = (call: ServerReadableStream<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
      const incoming = new Incoming(call);
      const read = (message: Uint8Array) => this.#read(method.input, message) as UploadPart;
      const carryOut = async () => {
        const start = await uploadStart(incoming, read);
        return await this.#command(method.command!, start, call, { body: bodyOf(incoming, read) });
      };
      this.#inLanguage(call, () => {
        carryOut().then(
          (answer) => done(null, this.#message(method.output, answer)),
          (error) => done(statusOf(this.api.codec, error)),
        ).finally(() => incoming.discard());
      });
    };
    return handle as Handler;
  }

  /** Handler that answers one message with many. */
  #streaming(
    method: ProtoMethod,
    run: (
      input: unknown,
      call: ServerWritableStream<Buffer, Buffer>,
      outgoing: OutgoingMessages,
    ) => Promise<void>,
  ): Handler {
    const handle = (call: ServerWritableStream<Buffer, Buffer>) => {
      this.#serve(
        call,
        async (outgoing) => await run(this.#read(method.input, call.request), call, outgoing),
      );
    };
    return handle as Handler;
  }

  #duplex(
    run: (call: ServerDuplexStream<Buffer, Buffer>, outgoing: OutgoingMessages) => Promise<void>,
  ): Handler {
    const handle = (call: ServerDuplexStream<Buffer, Buffer>) => {
      this.#serve(call, async (outgoing) => await run(call, outgoing));
    };
    return handle as Handler;
  }

  /** Runs what answers a call with messages; the call ends with it. */
  #serve(
    call: ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>,
    run: (outgoing: OutgoingMessages) => Promise<void>,
  ): void {
    const outgoing = new OutgoingMessages(call);
    this.#inLanguage(call, () => {
      run(outgoing).then(() => {
        if (!outgoing.gone.aborted) call.end();
      }, (error) => {
        const status = statusOf(this.api.codec, error);
        if (!outgoing.gone.aborted) call.emit("error", status);
      }).catch((error) => log.error("a call by gRPC could not be ended", { error }));
    });
  }

  async #feed(
    method: ProtoMethod,
    wanted: Parameters<EventFeeds["serve"]>[0],
    { call, outgoing }: { call: ServerWritableStream<Buffer, Buffer>; outgoing: OutgoingMessages },
  ): Promise<void> {
    // The client knows that it listens before anything has happened
    call.sendMetadata(new Metadata());
    await this.#feeds.serve(wanted, {
      principal: this.#principal(call),
      outgoing,
      write: (event) => this.#message(method.output, event),
    });
  }

  /** Sends the lines of a command while it works, and its answer at the end. */
  async #lines(
    method: ContractMethod,
    input: unknown,
    { call, outgoing }: { call: ServerWritableStream<Buffer, Buffer>; outgoing: OutgoingMessages },
  ): Promise<void> {
    let lost = 0;
    const gone = new AbortController();
    const leave = () => gone.abort(new ContractError("JobCancelled"));
    if (outgoing.gone.aborted) leave();
    else outgoing.gone.addEventListener("abort", leave, { once: true });
    const tell = (told: Readonly<Record<string, unknown>>) => {
      if (outgoing.unsent > MOST_WAITING) lost++;
      else void outgoing.send(this.#message(method.output, { told }));
    };
    const result = await this.#command(method.command!, input, call, { tell, gone: gone.signal });
    await outgoing.send(this.#message(method.output, { result, ...(lost > 0 && { lost }) }));
  }

  /**
   * Handler of a console.
   *
   * @param typed input of a message
   * @param begin console and input of the first message
   */
  #console(
    method: ProtoMethod,
    typed: ConsoleMessages["typed"],
    begin: (message: Uint8Array) => { open: Input<"open_console">; typed: Uint8Array },
  ): Handler {
    return this.#duplex(async (call, outgoing) => {
      const incoming = new Incoming(call);
      const first = await incoming.next();
      if (first === null) {
        throw new ContractError("InvalidInput", { reason: "the first message says which console is meant" });
      }
      const { open, typed: early } = begin(first);
      const { ticket } = await this.#command("open_console", open, call) as ConsoleTicket;
      const { kind, vmId } = open;
      const serve = this.world.consoles.attach({ kind, vmId, ticket }, this.#principal(call));
      const peer = new GrpcConsolePeer(incoming, outgoing, {
        typed,
        shown: (bytes) => this.#message(method.output, { data: bytes }),
      }, early);
      call.sendMetadata(new Metadata());
      const farewell = await Promise.race([serve(peer), peer.closed]);
      peer.close(farewell);
      if (peer.failure !== undefined) throw peer.failure;
      requireDone(farewell);
    });
  }
}

/** Bytes that may wait for a slow reader of lines; what comes beyond them is lost, and said to be. */
const MOST_WAITING = 8 * 1024 * 1024;
const NOTHING = new Uint8Array();
