/**
 * Target of libvirt's `esx` and `vpx` drivers: a listener on loopback that passes each request on to the server whose
 * certificate was compared. The drivers themselves check no certificate that a user has compared (`no_verify`, or an
 * authority that vouches), and take an answer of any length for any time: here both are bounded, and the connection can
 * be ended at any moment.
 */
import type { Agent } from "node:http";
import { messageOf } from "../../../../lib/text/message.ts";
import { MOST_DEFINITION } from "../../../../lib/formats/foreign/vm/model.ts";
import { type DatastoreFile, fileOfFolderPath } from "../../../../lib/formats/foreign/vm/vmware_place.ts";
import { log } from "../../../log.ts";
import { sendRequest } from "../../../outbound/node_connection.ts";
import { pinnedAgent } from "../../../outbound/pinned_tls.ts";
import type { EsxServer } from "./place.ts";

/** Bytes of a question, of an answer, and of all answers. */
const MOST_QUESTION = 1024 * 1024, MOST_ANSWER = 32 * 1024 * 1024, MOST_ALL = 128 * 1024 * 1024;
/** Milliseconds for an answer. */
const ANSWER_MS = 60_000;
/** Headers that pass. */
const QUESTION_HEADERS = ["content-type", "soapaction", "cookie", "authorization", "range"];

/** A definition that libvirt has downloaded. */
export interface VmxFile {
  readonly file: DatastoreFile;
  readonly bytes: Uint8Array;
}

/** The server answers with more than it may, or not in time. */
class AnswerRefused extends Error {
  override readonly name = "AnswerRefused";
}

/** All of an answer. @throws {AnswerRefused} */
async function bounded(response: Response, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body ?? []) {
    size += piece.length;
    if (size > most) throw new AnswerRefused(`it answers with more than ${most} bytes`);
    pieces.push(piece);
  }
  return new Uint8Array(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

export class EsxRelay implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #agent: Agent;
  readonly #stopped = new AbortController();
  readonly #loggedOut = Promise.withResolvers<void>();
  #left = MOST_ALL;
  #isLoginRefused = false;
  #fault: string | undefined;
  #vmx: VmxFile | undefined;

  constructor(private readonly target: EsxServer) {
    this.#agent = pinnedAgent(target.tls, target.fingerprint);
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#pass(request),
    );
  }

  get port(): number {
    return this.#server.addr.port;
  }

  /** Whether the server has refused the user or the password. */
  get isLoginRefused(): boolean {
    return this.#isLoginRefused;
  }

  /** Why the last question had no answer. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** The `.vmx` file that was asked for last. */
  get vmx(): VmxFile | undefined {
    return this.#vmx;
  }

  /** Done when libvirt has signed out. */
  get loggedOut(): Promise<void> {
    return this.#loggedOut.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    this.#agent.destroy();
    await this.#server.shutdown().catch((error) => log.debug("a relay did not end well", { error }));
  }

  async #pass(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url), isFolder = pathname.startsWith("/folder/");
    const isKnown = isFolder
      ? request.method === "GET"
      : request.method === "POST" && /^\/sdk(\/|$)/.test(pathname);
    if (!isKnown) return new Response(null, { status: 404 });
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(ANSWER_MS)]);
    try {
      return await this.#answered(request, `${pathname}${search}`, isFolder, signal);
    } catch (error) {
      this.#fault = signal.aborted
        ? `it did not answer within ${ANSWER_MS / 1000} seconds`
        : messageOf(error);
      log.debug("a server that VMs are imported from gave no answer", { error });
      return new Response(null, { status: 502 });
    }
  }

  async #answered(request: Request, path: string, isFolder: boolean, signal: AbortSignal): Promise<Response> {
    const body = isFolder ? undefined : await bounded(new Response(request.body), MOST_QUESTION);
    const headers: Record<string, string> = { host: this.target.label };
    for (const name of QUESTION_HEADERS) {
      const value = request.headers.get(name);
      if (value !== null) headers[name] = value;
    }
    if (body !== undefined) headers["content-length"] = String(body.length);
    const { host, port } = this.target.tls;
    const answer = await sendRequest(
      { agent: this.#agent, host, port, method: request.method, path, headers, signal },
      body,
    );
    const bytes = await this.#bodyOf(answer, isFolder ? MOST_DEFINITION : MOST_ANSWER, signal);
    const asked = body === undefined
      ? ""
      : /<soapenv:Body>\s*<([A-Za-z]+)/.exec(new TextDecoder().decode(body))?.[1];
    if (asked === "Login" && answer.status === 500) this.#isLoginRefused = true;
    if (asked === "Logout") this.#loggedOut.resolve();
    const file = isFolder && answer.status === 200 ? fileOfFolderPath(path) : undefined;
    if (file !== undefined) this.#vmx = { file, bytes };
    const told = new Headers({ "content-type": answer.headers.get("content-type") ?? "text/xml" });
    // Here it comes without TLS
    for (const cookie of answer.headers.getSetCookie()) {
      told.append("set-cookie", cookie.replace(/;\s*secure\b/gi, ""));
    }
    return new Response(bytes, { status: answer.status, headers: told });
  }

  async #bodyOf(answer: Response, most: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const late = Promise.withResolvers<never>();
    const stop = () => late.reject(new AnswerRefused("its answer does not end"));
    signal.addEventListener("abort", stop, { once: true });
    try {
      const bytes = await Promise.race([bounded(answer, Math.min(most, this.#left)), late.promise]);
      this.#left -= bytes.length;
      return bytes;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }
}
