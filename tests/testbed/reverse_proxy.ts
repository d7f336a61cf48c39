/** A reverse proxy with TLS as people put one in front: requests and WebSockets below a path, with X-Forwarded headers. */
import { createServer, request } from "node:https";
import { type IncomingMessage, request as plainRequest } from "node:http";
import type { Duplex } from "node:stream";
import { makePair } from "../../agent/system/certificate/make.ts";

/** A running proxy that ends, with its connections, when disposed of. */
export interface ReverseProxy extends AsyncDisposable {
  /** `https://localhost:PORT`. */
  readonly origin: string;
  /** Paths that were asked for outside of the path it serves. */
  readonly strays: readonly string[];
}

/** Options of {@link reverseProxy}. */
export interface ReverseProxyOptions {
  /** The server behind it: `http://127.0.0.1:PORT`, or with https. */
  readonly to: string;
  /** Path it serves; empty for all. */
  readonly base?: string;
  /** Takes the path away before it asks the server. */
  readonly strips?: boolean;
}

/** Starts one on a free port of loopback. */
export async function reverseProxy(
  { to, base = "", strips = false }: ReverseProxyOptions,
): Promise<ReverseProxy> {
  const target = new URL(to);
  const strays: string[] = [];
  const sockets = new Set<Duplex>();
  const send = target.protocol === "https:" ? request : plainRequest;

  /** The request to the server; undefined for a path that is not served. */
  const onward = (incoming: IncomingMessage) => {
    const { url = "/", method = "GET", headers, socket } = incoming;
    if (url !== base && !url.startsWith(`${base}/`)) {
      strays.push(url);
      return undefined;
    }
    return send({
      hostname: target.hostname,
      port: target.port,
      method,
      path: strips ? url.slice(base.length) || "/" : url,
      rejectUnauthorized: false,
      agent: false,
      headers: {
        ...headers,
        host: target.host,
        "x-forwarded-host": headers.host,
        "x-forwarded-proto": "https",
        "x-forwarded-for": [headers["x-forwarded-for"], socket.remoteAddress].filter(Boolean).join(", "),
      },
    });
  };

  const { cert, key } = makePair(["localhost", "127.0.0.1"], Date.now());
  const server = createServer({ cert, key }, (incoming, response) => {
    const asked = onward(incoming);
    if (asked === undefined) return void response.writeHead(404).end("the proxy has nothing there");
    asked.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(response);
    });
    asked.on("error", () => response.destroy());
    response.on("close", () => asked.destroy());
    incoming.pipe(asked);
  });
  server.on("upgrade", (incoming, socket, head) => {
    const asked = onward(incoming);
    if (asked === undefined) return void socket.destroy();
    asked.on("error", () => socket.destroy());
    asked.on("response", (answer) => {
      socket.write(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nconnection: close\r\n\r\n`);
      answer.pipe(socket);
    });
    asked.on("upgrade", (answer, behind, first) => {
      const lines = answer.rawHeaders.map((text, at) => at % 2 === 0 ? `${text}: ` : `${text}\r\n`).join("");
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`);
      if (first.length > 0) socket.write(first);
      if (head.length > 0) behind.write(head);
      behind.pipe(socket).pipe(behind);
      for (const side of [behind, socket]) {
        side.on("error", () => [behind, socket].forEach((each) => each.destroy()));
      }
    });
    asked.end();
  });
  server.on("secureConnection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {/* a browser that leaves is no failure */});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    origin: `https://localhost:${port}`,
    strays,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
