/** gRPC as strangers speak it: Google's Python client with code that protoc generates of the product's own .proto. */
import { fileURLToPath } from "node:url";
import { protoText } from "../../lib/grpc/proto_text.ts";
import { contractProto } from "../../lib/grpc/contract_proto.ts";
import { SEED_FILE } from "../../lib/grpc/seed_file.ts";
import { ensurePackages } from "./packages.ts";
import { run } from "./process.ts";
import type { TestServer } from "./server.ts";
import { Unavailable } from "./unavailable.ts";

/** Packages that the client is built from. */
const PACKAGES = [
  ...["python3-grpcio", "python3-protobuf", "protobuf-compiler", "protobuf-compiler-grpc"],
  ...["libprotobuf-dev", "grpc-proto"],
];
/** Debian's own Python, whichever else comes first in PATH. */
const PYTHON = "/usr/bin/python3";
const CLIENT = fileURLToPath(new URL("grpc_client.py", import.meta.url));

/** Installs it where that is possible. @throws {Unavailable} */
export async function ensureGrpcClient(): Promise<void> {
  await ensurePackages(...PACKAGES);
  await run([PYTHON, "-c", "import grpc"]).catch((cause) => {
    throw new Unavailable("python3-grpcio does not load", { cause });
  });
}

/** A call, as the client takes it. */
export interface GrpcCall {
  /** `127.0.0.1:7443`, `unix:/run/…`. */
  readonly target: string;
  /** `kvmmanager.v1.KvmManager/GetVms`. */
  readonly method: string;
  readonly request?: unknown;
  readonly metadata?: readonly (readonly [string, string])[];
  /** Seconds. */
  readonly timeout?: number;
  /** Certificate that the server is known by; without it there is no TLS. */
  readonly ca?: string;
  /** Names a connection of its own. */
  readonly fresh?: number;
}

/** Result of a call. Messages as JSON of Protocol Buffers: 64-bit numbers are texts, bytes base64. */
export interface GrpcAnswer {
  readonly reply?: Readonly<Record<string, unknown>>;
  readonly heads?: Readonly<Record<string, string>>;
  readonly bytes?: number;
  readonly messages?: readonly Readonly<Record<string, unknown>>[];
  readonly end?: boolean;
  readonly error?: string;
  readonly details?: string;
  readonly trailers?: Readonly<Record<string, string>>;
  readonly [other: string]: unknown;
}

/** The client's process. */
export class GrpcClient implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #waiting = new Map<number, PromiseWithResolvers<GrpcAnswer>>();
  readonly #reading: Promise<void>;
  #count = 0;

  private constructor(private readonly folder: string) {
    this.#child = new Deno.Command(PYTHON, {
      args: [CLIENT, folder],
      env: { PYTHONDONTWRITEBYTECODE: "1", GRPC_VERBOSITY: "NONE" },
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Generates its code, and starts it. */
  static async start(): Promise<GrpcClient> {
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-grpc-" });
    const files = {
      "kvmmanager/v1/kvm_manager.proto": contractProto(),
      "mvirt.proto": protoText(SEED_FILE),
      // Under names that no module of grpcio has
      "grpc_health.proto": await Deno.readTextFile("/usr/share/grpc-proto/grpc/health/v1/health.proto"),
      "grpc_reflection.proto": await Deno.readTextFile(
        "/usr/share/grpc-proto/grpc/reflection/v1alpha/reflection.proto",
      ),
    };
    await Deno.mkdir(`${folder}/kvmmanager/v1`, { recursive: true });
    for (const [path, text] of Object.entries(files)) await Deno.writeTextFile(`${folder}/${path}`, text);
    await run(["protoc", `-I${folder}`, "-I/usr/include", `--python_out=${folder}`, ...Object.keys(files)]);
    await run([
      "protoc",
      `-I${folder}`,
      "-I/usr/include",
      "-o",
      `${folder}/protoc.pb`,
      Object.keys(files)[0]!,
    ]);
    return new GrpcClient(folder);
  }

  /** Has it do something. @throws {Error} when the client itself fails */
  async op(op: string, more: Readonly<Record<string, unknown>>): Promise<GrpcAnswer> {
    const id = this.#count++, waiting = Promise.withResolvers<GrpcAnswer>();
    this.#waiting.set(id, waiting);
    await this.#writer.write(new TextEncoder().encode(`${JSON.stringify({ id, op, ...more })}\n`));
    const answer = await waiting.promise;
    if (answer.exception !== undefined) throw new Error(`the client failed: ${answer.exception}`);
    return answer;
  }

  unary(call: GrpcCall): Promise<GrpcAnswer> {
    return this.op("unary", { ...call });
  }

  /** Opens a stream under a name. */
  async open(stream: string, call: GrpcCall, wait = false): Promise<void> {
    await this.op("open", { ...call, stream, wait });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#child.status;
    await this.#reading;
    await Deno.remove(this.folder, { recursive: true });
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const answer = JSON.parse(line) as GrpcAnswer & { id: number };
        this.#waiting.get(answer.id)?.resolve(answer);
        this.#waiting.delete(answer.id);
      }
    }
    for (const each of this.#waiting.values()) each.reject(new Error("the client has ended"));
  }
}

/** Addresses of a server's gRPC: plain, with TLS, the UNIX socket. */
export function grpcAddresses(server: TestServer): { plain: string; tls: string; socket: string } {
  const log = server.log();
  const address = (pattern: RegExp) => pattern.exec(log)?.[1] ?? "";
  return {
    plain: address(/grpc:\/\/(127\.0\.0\.1:\d+)/),
    tls: address(/grpcs:\/\/(127\.0\.0\.1:\d+)/),
    socket: `unix:${server.runtimeDir}/grpc.sock`,
  };
}
