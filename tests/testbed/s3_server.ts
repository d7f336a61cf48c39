/**
 * An S3 service of one's own: s3rver, which keeps objects in a folder, behind a door that checks signatures (s3rver does
 * not check those of version 4), and can be made to fail, to lie, and to send elsewhere.
 */
import { createHash, createHmac } from "node:crypto";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** The access key that s3rver knows, and its secret. */
export const S3_KEY = "S3RVER", S3_SECRET = "S3RVER";

/** Handles a request in place of the store. @returns false to let it through */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface S3Server extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  readonly bucket: string;
  /** Folder of the objects. */
  readonly folder: string;
  /** Requests so far, as `PUT /bucket/name`. */
  readonly seen: readonly string[];
  /** Sets what goes wrong from now on; undefined: nothing. */
  fail(fault: Fault | undefined): void;
}

interface S3rver {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
}
type MakeS3rver = new (options: {
  readonly port: number;
  readonly address: string;
  readonly silent: boolean;
  readonly directory: string;
  readonly configureBuckets: readonly { readonly name: string }[];
}) => S3rver;

const sha256 = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex");
const hmac = (key: string | Uint8Array, text: string) => createHmac("sha256", key).update(text).digest();

/**
 * Whether a request is signed by the secret, and its content is what was signed. As AWS describes it: "Signature Version 4
 * signing process".
 */
function isSigned({ method, url = "", headers }: IncomingMessage, body: Uint8Array): boolean {
  const { authorization = "" } = headers;
  const [, date, region, names = "", signature] =
    /^AWS4-HMAC-SHA256 Credential=[^/]+\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/
      .exec(authorization) ?? [];
  if (signature === undefined || headers["x-amz-content-sha256"] !== sha256(body)) return false;
  if (!["host", "x-amz-content-sha256", "x-amz-date"].every((name) => names.split(";").includes(name))) {
    return false;
  }
  const [path = "", query = ""] = url.split("?");
  const canonical = [
    ...[method, path, query.split("&").filter((part) => part !== "").sort().join("&")],
    ...names.split(";").map((name) => `${name}:${String(headers[name]).trim()}`),
    ...["", names, sha256(body)],
  ].join("\n");
  const scope = `${date}/${region}/s3/aws4_request`;
  const key = [region!, "s3", "aws4_request"].reduce<Uint8Array>(hmac, hmac(`AWS4${S3_SECRET}`, date!));
  const text = ["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, sha256(canonical)].join("\n");
  return hmac(key, text).toString("hex") === signature;
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of request) pieces.push(piece as Uint8Array);
  return new Uint8Array(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

/** Starts one with an empty bucket. */
export async function s3Server(bucket = "vms"): Promise<S3Server> {
  await using undo = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-s3-" });
  undo.defer(() => Deno.remove(folder, { recursive: true }));
  const { default: Made } = await import("s3rver") as unknown as { readonly default: MakeS3rver };
  const inner = new Made({
    port: 0,
    address: "127.0.0.1",
    silent: true,
    directory: folder,
    configureBuckets: [{ name: bucket }],
  });
  const { port } = await inner.run();
  undo.defer(() => inner.close());
  let fault: Fault | undefined;
  const seen: string[] = [];
  const passOn = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await bodyOf(request);
    const isOfKey = request.headers.authorization?.includes(`Credential=${S3_KEY}/`);
    if (isOfKey && !isSigned(request, body)) {
      response.writeHead(403).end("<Error><Code>SignatureDoesNotMatch</Code></Error>");
      return;
    }
    const asked = http.request({
      host: "127.0.0.1",
      port,
      method: request.method,
      path: request.url,
      headers: request.headers,
      agent: false,
    }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    asked.on("error", () => response.destroy());
    asked.end(body);
  };
  const door = http.createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (fault?.(request, response)) return;
    passOn(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
  undo.defer(() => new Promise<void>((resolve) => door.close(() => resolve())));
  const cleanup = undo.move();
  return {
    endpoint: `http://127.0.0.1:${(door.address() as AddressInfo).port}`,
    bucket,
    folder,
    seen,
    fail: (given) => void (fault = given),
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}
