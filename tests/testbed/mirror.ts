/** A web server with images, on loopback: real HTTP whose faults a test sets. */

/** How a file is served. */
export interface MirrorFile {
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Address that it redirects to instead. */
  readonly redirect?: string;
  /** The connection is cut after so many bytes, in each of the first so many answers. */
  readonly cut?: { readonly after: number; readonly times: number };
  /** Milliseconds between pieces of 64 KiB. */
  readonly pace?: number;
  readonly etag?: string;
  /** Whether the answer does not say how long it is. */
  readonly isUnsized?: boolean;
}

/** A request as it came. */
export interface MirrorRequest {
  readonly path: string;
  readonly host: string | null;
  readonly range: string | null;
}

const PIECE = 64 * 1024;

/** A running mirror; it stops when it is disposed of. */
export class Mirror implements AsyncDisposable {
  readonly files = new Map<string, MirrorFile>();
  readonly requests: MirrorRequest[] = [];
  readonly #cuts = new Map<string, number>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly url: string;

  /** @param hostname an address of this host */
  constructor(
    hostname = "127.0.0.1",
    { port = 0, tls }: { port?: number; tls?: { cert: string; key: string } } = {},
  ) {
    const options = {
      hostname,
      port,
      onListen: () => {},
      // A cut is no failure of this server.
      onError: () => new Response(null, { status: 500 }),
      ...tls,
    };
    this.#server = Deno.serve(options, (request) => this.#answer(request));
    const { port: bound } = this.#server.addr;
    this.url = `${tls ? "https" : "http"}://${hostname.includes(":") ? `[${hostname}]` : hostname}:${bound}`;
  }

  get port(): number {
    return this.#server.addr.port;
  }

  /** Requests for one path. */
  asked(path: string): MirrorRequest[] {
    return this.requests.filter((request) => request.path === path);
  }

  /** Serves a file; gives its address. */
  serve(path: string, file: MirrorFile): string {
    this.files.set(path, file);
    return `${this.url}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  #answer(request: Request): Response {
    const path = new URL(request.url).pathname;
    const range = request.headers.get("range");
    this.requests.push({ path, host: request.headers.get("host"), range });
    const file = this.files.get(path);
    if (file === undefined) return new Response("no such file", { status: 404 });
    if (file.redirect !== undefined) {
      return new Response(null, { status: file.status ?? 302, headers: { location: file.redirect } });
    }
    const { body = new Uint8Array(), etag } = file;
    const isSame = request.headers.get("if-range") === null || request.headers.get("if-range") === etag;
    const first = range !== null && isSame ? Number(/^bytes=(\d+)-$/.exec(range)?.[1] ?? 0) : 0;
    const rest = body.subarray(first);
    return new Response(this.#stream(path, file, rest), {
      status: file.status ?? (first > 0 ? 206 : 200),
      headers: {
        ...(file.isUnsized ? {} : { "content-length": String(rest.length) }),
        ...(etag !== undefined && { etag }),
        ...(first > 0 && { "content-range": `bytes ${first}-${body.length - 1}/${body.length}` }),
        ...file.headers,
      },
    });
  }

  #stream(
    path: string,
    { cut, pace = 0 }: MirrorFile,
    rest: Uint8Array<ArrayBuffer>,
  ): ReadableStream<Uint8Array> {
    const cuts = this.#cuts.get(path) ?? 0;
    const isCut = cut !== undefined && cuts < cut.times;
    if (isCut) this.#cuts.set(path, cuts + 1);
    const end = isCut ? Math.min(rest.length, cut.after) : rest.length;
    let sent = 0;
    return new ReadableStream({
      pull: async (controller) => {
        if (pace > 0) await new Promise((resolve) => setTimeout(resolve, pace));
        if (sent < end) {
          const piece = rest.slice(sent, Math.min(end, sent + PIECE));
          sent += piece.length;
          controller.enqueue(piece);
        } else if (isCut) controller.error(new Error("cut on purpose"));
        else controller.close();
      },
    }, { highWaterMark: 0 });
  }
}
