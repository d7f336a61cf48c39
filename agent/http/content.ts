/** The content of volumes over HTTP: PUT and GET with bodies of any size, streamed. */
import { ContractError } from "../../lib/contract/errors.ts";
import type { Output } from "../../lib/contract/mod.ts";
import { CONTENT_PATH } from "../../lib/contract/transfer.ts";
import type { Principal } from "../access.ts";
import type { Dispatch } from "../dispatch.ts";
import { arrivingBody } from "./arriving.ts";

/** Paths whose bodies may take as long as they take. */
const LONG = new RegExp(`^/api/v1${CONTENT_PATH.replace(/\{\w+\}/g, "[^/]+")}$`);

/** Whether a request's body has no bound in size and time but what its command sets. */
export function isLongBody(method: string | undefined, url: string | undefined): boolean {
  return method === "PUT" && LONG.test((url ?? "").split("?")[0]!);
}

const invalid = (reason: string) => new ContractError("InvalidInput", { reason });

/** Which part of how much comes (RFC 9110, 14.4). @throws {ContractError} LengthRequired, InvalidInput */
function partOf(headers: Headers): { size: number; offset: number; resumable: boolean } {
  const range = headers.get("content-range");
  const length = headers.get("content-length");
  if (range === null) {
    if (length === null) throw new ContractError("LengthRequired");
    return { size: Number(length), offset: 0, resumable: false };
  }
  const [, first, last, size] = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/.exec(range)?.map(Number) ?? [];
  if (first === undefined || last === undefined || size === undefined || last !== size - 1 || first > last) {
    throw invalid("Content-Range must be bytes FIRST-LAST/SIZE, up to the end of the file");
  }
  if (length !== null && Number(length) !== size - first) {
    throw invalid("Content-Length and Content-Range contradict each other");
  }
  return { size, offset: first, resumable: true };
}

/** Takes an upload in. @throws {ContractError} */
export async function takeContent(
  dispatch: Dispatch,
  request: Request,
  place: { pool: string; name: string },
  principal: Principal,
): Promise<unknown> {
  const query = Object.fromEntries(new URL(request.url).searchParams);
  for (const field of Object.keys(query)) {
    if (field !== "checksum") throw invalid(`unknown field ${JSON.stringify(field.slice(0, 64))}`);
  }
  const input = { ...query, ...partOf(request.headers), ...place };
  return await dispatch("upload_volume", input, principal, { body: arrivingBody(request) });
}

/** Where a download begins: an open range alone; others are passed over, as RFC 9110 (14.2) allows. */
function offsetOf(range: string | null): number | undefined {
  const [, first] = /^bytes=(\d{1,15})-$/.exec(range ?? "") ?? [];
  return first === undefined ? undefined : Number(first);
}

/** Gives a volume's content. @throws {ContractError} */
export async function giveContent(
  dispatch: Dispatch,
  request: Request,
  place: { pool: string; name: string },
  principal: Principal,
): Promise<Response> {
  const from = offsetOf(request.headers.get("range"));
  let stream: ReadableStream<Uint8Array> | undefined;
  const { name, size, offset } = await dispatch(
    "download_volume",
    { ...place, ...(from !== undefined && { offset: from }) },
    principal,
    { answer: (content) => stream = content },
  ) as Output<"download_volume">;
  return new Response(stream ?? null, {
    status: from === undefined ? 200 : 206,
    headers: {
      "content-type": "application/octet-stream",
      "content-length": String(size - offset),
      "content-disposition": `attachment; filename*=UTF-8''${
        encodeURIComponent(name).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)
      }`,
      "accept-ranges": "bytes",
      "cache-control": "no-store",
      ...(from !== undefined && { "content-range": `bytes ${offset}-${Math.max(offset, size - 1)}/${size}` }),
    },
  });
}
