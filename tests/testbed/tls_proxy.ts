/** HTTPS in front of a server, with a certificate made for the test: what a command line elsewhere talks to. */
import { createHash, X509Certificate } from "node:crypto";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { localhostCertificate } from "./tls.ts";

/** A proxy that runs. */
export interface TlsProxy extends AsyncDisposable {
  /** `https://localhost:PORT`. */
  readonly url: string;
  /** SHA-256 of its certificate: 64 hexadecimal digits. */
  readonly fingerprint: string;
  /** File with the certificate, PEM: it vouches for itself, as `localhost`. */
  readonly certificate: string;
  /** Heads of the requests that came. */
  readonly seen: readonly IncomingMessage["headers"][];
}

/** Puts one in front of a server at `http://127.0.0.1:PORT`. */
export async function tlsProxy(target: string): Promise<TlsProxy> {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const [key, certificate] = [`${folder}/key.pem`, `${folder}/certificate.pem`];
  await localhostCertificate(key, certificate);
  const pem = await Deno.readTextFile(certificate);
  const { host, hostname, port } = new URL(target);
  const seen: IncomingMessage["headers"][] = [];
  const headersFor = (incoming: IncomingMessage) => {
    seen.push(incoming.headers);
    const { origin, ...others } = incoming.headers;
    return { ...others, host, ...(origin !== undefined && { origin: target }) };
  };
  const server = createServer({ key: await Deno.readTextFile(key), cert: pem }, (incoming, outgoing) => {
    const { method, url: path } = incoming;
    const asked = httpRequest({ hostname, port, method, path, headers: headersFor(incoming) }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    asked.on("error", () => outgoing.destroy());
    outgoing.on("close", () => asked.destroy());
    incoming.pipe(asked);
  });
  // What was upgraded is none of the server's connections any more.
  const lines = new Set<Duplex>();
  server.on("upgrade", (incoming: IncomingMessage, socket: Duplex) => {
    const line = connect({ host: hostname, port: Number(port) }, () => {
      const head = Object.entries(headersFor(incoming)).map(([name, value]) => `${name}: ${value}`);
      line.write(`GET ${incoming.url} HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\n`);
      line.pipe(socket);
      socket.pipe(line);
    });
    for (const [one, other] of [[line, socket], [socket, line]] as const) {
      lines.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    fingerprint: createHash("sha256").update(new X509Certificate(pem).raw).digest("hex"),
    certificate,
    seen,
    async [Symbol.asyncDispose]() {
      for (const line of lines) line.destroy();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await Deno.remove(folder, { recursive: true });
    },
  };
}
