/** The doors to a VNC server that are compared: the processes, and how a viewer comes in. */
import { fileURLToPath } from "node:url";

const ENDS = fileURLToPath(new URL("console_ends.ts", import.meta.url));

/** A viewer's part of the handshake, all at once: nothing in it depends on what the server says. */
export const JOIN = new Uint8Array([...new TextEncoder().encode("RFB 003.008\n"), 1, 1]);

/** A process that ends with the bench. */
export class Process implements AsyncDisposable {
  private constructor(private readonly child: Deno.ChildProcess) {}

  /** Starts a program. @throws {Deno.errors.NotFound} where there is none */
  static start(command: string, args: readonly string[]): Process {
    return new Process(
      new Deno.Command(command, { args: [...args], stdout: "piped", stderr: "null" }).spawn(),
    );
  }

  /** The number it says first. */
  async port(): Promise<number> {
    const reader = this.child.stdout.getReader();
    const { value } = await reader.read();
    reader.releaseLock();
    return Number(new TextDecoder().decode(value).trim());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGTERM");
    await this.child.stdout.cancel();
    await this.child.status;
  }
}

/** One of console_ends.ts. */
export function startEnd(...args: string[]): Process {
  return Process.start(Deno.execPath(), ["run", "-A", ENDS, ...args]);
}

/** A port that no program listens on now. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Waits until somebody listens there. */
export async function answers(port: number): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (attempt > 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

/** Debian's websockify before a VNC server. */
export function startWebsockify(port: number, target: number): Process {
  return Process.start("websockify", [`127.0.0.1:${port}`, `127.0.0.1:${target}`]);
}

/** A binary frame of a client, masked with zeros (RFC 6455, 5.2). At most 125 bytes. */
export function frame(payload: Uint8Array): Uint8Array {
  return new Uint8Array([0x82, 0x80 | payload.length, 0, 0, 0, 0, ...payload]);
}

/** A WebSocket of which nothing but the opening is done: its frames come as they are. */
export async function openWebSocket(port: number): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const head = [
    "GET / HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    `Origin: http://127.0.0.1:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: binary",
  ];
  await connection.write(new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n`));
  await connection.read(new Uint8Array(4096));
  return connection;
}
