/** A TCP line between two programs that a test can cut. */

/** One that runs until it is disposed of. */
export interface CutLine extends Disposable {
  readonly port: number;
  /** Ends all connections that are open. */
  cut(): void;
}

/** Passes on what comes, both ways, until one end is gone. */
async function pass(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  try {
    await from.readable.pipeTo(to.writable);
  } catch (error) {
    // An end that was cut, or is gone: the other one goes, too
    if (error instanceof TypeError) throw error;
  }
}

/** Makes one to a port of loopback. */
export function cutLine(port: number): CutLine {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }), open = new Set<Deno.Conn>();
  const close = (line: Deno.Conn) => {
    open.delete(line);
    try {
      line.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  };
  const carry = async (near: Deno.Conn) => {
    open.add(near);
    let far: Deno.Conn;
    try {
      far = await Deno.connect({ hostname: "127.0.0.1", port });
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      return close(near);
    }
    open.add(far);
    await Promise.race([pass(near, far), pass(far, near)]);
    close(near);
    close(far);
  };
  (async () => {
    for await (const near of listener) void carry(near);
  })();
  return {
    port: listener.addr.port,
    cut: () => {
      for (const line of [...open]) close(line);
    },
    [Symbol.dispose]: () => {
      listener.close();
      for (const line of [...open]) close(line);
    },
  };
}
