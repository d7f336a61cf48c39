/** A server that is reached with TLS, and clients that look at the connection itself. */
import { run } from "./process.ts";
import { type ServerOptions, startServer, type TestServer } from "./server.ts";
import { until } from "./wait.ts";

/** A server on loopback without TLS, as every test has it, and a second listener with TLS. */
export interface TlsServer extends AsyncDisposable {
  readonly server: TestServer;
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
}

/** Starts it. @param args further settings */
export async function startTlsServer(options: ServerOptions = {}): Promise<TlsServer> {
  const args = ["--listen", "https://127.0.0.1:0", ...options.args ?? []];
  const server = await startServer({ uri: "test:///default", logLevel: "info", ...options, args });
  const url = /https:\/\/127\.0\.0\.1:\d+/.exec(server.log())![0];
  return {
    server,
    url,
    port: Number(new URL(url).port),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Makes a key, and a certificate for `localhost` that vouches for itself, as openssl does. PEM. */
export async function localhostCertificate(key: string, certificate: string): Promise<void> {
  await run([
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "2",
    "-subj",
    "/CN=localhost",
    "-addext",
    "subjectAltName=DNS:localhost",
    "-keyout",
    key,
    "-out",
    certificate,
  ]);
}

/** SHA-256 of the certificate that serves at an address, as openssl sees it. */
export async function servedFingerprint(port: number, host = "127.0.0.1"): Promise<string> {
  const pem = await handshake(port, [], host);
  const [certificate] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(pem) ?? [];
  if (certificate === undefined) throw new Error(`no certificate was served: ${pem.slice(0, 500)}`);
  const file = await Deno.makeTempFile({ prefix: "kvmm-test-" });
  try {
    await Deno.writeTextFile(file, certificate);
    const line = await run(["openssl", "x509", "-in", file, "-noout", "-fingerprint", "-sha256"]);
    return line.split("=")[1]!.trim();
  } finally {
    await Deno.remove(file);
  }
}

/** Output of openssl s_client for a handshake; also of one that fails. */
export async function handshake(
  port: number,
  args: readonly string[] = [],
  host = "127.0.0.1",
): Promise<string> {
  const { stdout, stderr } = await new Deno.Command("openssl", {
    args: ["s_client", "-connect", `${host}:${port}`, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

/** Waits until another certificate serves than one with this fingerprint. */
export function otherThan(port: number, fingerprint: string): Promise<string> {
  return until("another certificate to serve", async () => {
    const found = await servedFingerprint(port);
    return found === fingerprint ? undefined : found;
  }, { seconds: 15, every: 250 });
}
