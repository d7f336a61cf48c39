/** A SOCKS5 proxy (RFC 1928, no authentication) between a browser and a server, whose connections a test can cut. */

/** A browser repeats a request by itself when the connection had been used before: the page is told of the second cut. */
const CUTS = 2;

/** A running proxy that ends, with its connections, when disposed of. */
export interface CuttingProxy extends AsyncDisposable {
  readonly address: string;
  /** Cuts the next {@link CUTS} connections that send so many bytes. */
  cutAfter(bytes: number): void;
}

/** Reads exactly so many bytes. @throws {Error} when the connection ends before */
async function exactly(connection: Deno.Conn, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await connection.read(bytes.subarray(at));
    if (count === null) throw new Error("the browser went away");
    at += count;
  }
  return bytes;
}

/** Speaks SOCKS5 up to the connection; chromium gives an IPv4 address or a name. */
async function connected(browser: Deno.Conn): Promise<Deno.Conn> {
  const [, methods] = await exactly(browser, 2);
  await exactly(browser, methods!);
  await browser.write(new Uint8Array([5, 0]));
  const [, , , kind] = await exactly(browser, 4);
  const hostname = kind === 1
    ? [...await exactly(browser, 4)].join(".")
    : new TextDecoder().decode(await exactly(browser, (await exactly(browser, 1))[0]!));
  const [high, low] = await exactly(browser, 2);
  const server = await Deno.connect({ hostname, port: high! * 256 + low! });
  await browser.write(new Uint8Array([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
  return server;
}

/** Starts one on a free port of loopback. */
export function cuttingProxy(): CuttingProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  let limit = Infinity, left = 0;
  const serve = async (browser: Deno.Conn) => {
    open.add(browser);
    let server: Deno.Conn | undefined;
    try {
      server = await connected(browser);
      open.add(server);
      let sent = 0;
      const counted = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        transform: (bytes, controller) => {
          sent += bytes.length;
          if (sent > limit && left > 0) {
            left--;
            throw new Error("cut by the test");
          }
          controller.enqueue(bytes);
        },
      });
      await Promise.race([
        browser.readable.pipeThrough(counted).pipeTo(server.writable),
        server.readable.pipeTo(browser.writable),
      ]);
    } catch {
      // Cut, or ended by either side: both are closed below.
    } finally {
      for (const connection of [browser, server]) {
        if (connection === undefined || !open.delete(connection)) continue;
        try {
          connection.close();
        } catch {
          // A pipe has closed it already.
        }
      }
    }
  };
  const accepting = (async () => {
    for await (const browser of listener) serve(browser);
  })();
  const { port } = listener.addr as Deno.NetAddr;
  return {
    address: `socks5://127.0.0.1:${port}`,
    cutAfter: (bytes) => {
      limit = bytes;
      left = CUTS;
    },
    [Symbol.asyncDispose]: async () => {
      listener.close();
      for (const connection of [...open]) {
        open.delete(connection);
        try {
          connection.close();
        } catch {
          // A pipe has closed it already.
        }
      }
      await accepting;
    },
  };
}
