/** The content of volumes and of guests' files over HTTP: PUT and GET with bodies of any size, streamed. */
import { ContractError } from "../../lib/contract/errors.ts";
import { inputFields, REST_ROUTES, type RestRoute } from "../../lib/contract/rest.ts";
import type { Principal } from "../access.ts";
import type { Dispatch } from "../dispatch.ts";
import { attachment } from "../../lib/text/attachment.ts";
import { requestBody } from "./request_body.ts";
import { requireUnencoded } from "./body.ts";
import { withIds } from "./place_names.ts";
import { choosePart, type ChosenPart } from "./part.ts";
import { message, type Sentence } from "../../lib/i18n/message.ts";

/** Routes that take or give content. */
export const CONTENT_ROUTES: readonly RestRoute[] = REST_ROUTES.filter(({ command }) =>
  command.content !== undefined
);

/** Paths whose bodies may take as long as they take. */
const LONG = CONTENT_ROUTES.filter(({ command }) => command.content === "upload").map(({ path }) =>
  new RegExp(`^/api/v1${path.replace(/\{\w+\}/g, "[^/]+")}$`)
);

/** Whether a request's body has no bound in size and time but what its command sets. */
export function isLongBody(method: string | undefined, url: string | undefined): boolean {
  return method === "PUT" && LONG.some((path) => path.test((url ?? "").split("?")[0]!));
}

const invalid = (reason: Sentence) => new ContractError("InvalidInput", { reason });

/** Part and total size of the content (RFC 9110, 14.4). @throws {ContractError} LengthRequired, InvalidInput */
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

/**
 * Refuses what comes with something around it, which would end up in the volume.
 *
 * @throws {ContractError} EncodedBody, FileExpected
 */
function requireFile(headers: Headers): void {
  requireUnencoded(headers);
  const type = headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type.startsWith("multipart/")) throw new ContractError("FileExpected", { type: type.slice(0, 64) });
}

/** The fields that travel in the query. @throws {ContractError} InvalidInput */
function queryOf({ command: { contentFields } }: RestRoute, { url }: Request): Record<string, string> {
  if (contentFields === undefined) return {};
  const query = Object.fromEntries(new URL(url).searchParams);
  for (const field of Object.keys(query)) {
    if (!contentFields.includes(field)) {
      throw invalid(message`unknown field ${JSON.stringify(field.slice(0, 64))}`);
    }
  }
  return query;
}

/** An input with ids in the place of names, as all routes take them. @throws {ContractError} NameAmbiguous */
const named = (
  dispatch: Dispatch,
  { command }: Pick<RestRoute, "command">,
  input: Readonly<Record<string, unknown>>,
  principal: Principal,
) => withIds((list, of) => dispatch(list, of, principal), input, inputFields(command), command.namedAs);

/** Takes an upload in. @param place the fields in the path @throws {ContractError} */
export async function takeContent(
  dispatch: Dispatch,
  route: RestRoute,
  request: Request,
  place: Readonly<Record<string, string>>,
  principal: Principal,
): Promise<unknown> {
  requireFile(request.headers);
  const query = queryOf(route, request), part = partOf(request.headers);
  const goesOn = Object.hasOwn(inputFields(route.command), "offset");
  if (!goesOn && part.resumable) throw invalid("this is sent whole: without Content-Range");
  const input = await named(dispatch, route, { ...query, ...place }, principal);
  Object.assign(input, goesOn ? part : { size: part.size });
  return await dispatch(route.name, input, principal, { body: requestBody(request) });
}

const headersOf = (name: string) => ({
  "content-type": "application/octet-stream",
  "content-disposition": attachment(name),
  "cache-control": "no-store",
});

/** Gives content, or the part of it that was asked for. @param place the fields in the path @throws {ContractError} */
export async function giveContent(
  dispatch: Dispatch,
  route: RestRoute,
  request: Request,
  place: Readonly<Record<string, string>>,
  principal: Principal,
): Promise<Response> {
  let stream: ReadableStream<Uint8Array> | undefined;
  let choice: ChosenPart | undefined;
  const input = await named(dispatch, route, { ...queryOf(route, request), ...place }, principal);
  const { name, size } = await dispatch(route.name, input, principal, {
    choose: (whole) => {
      choice = choosePart(request, whole);
      return choice.part;
    },
    answer: (content) => stream = content,
  }) as { name: string; size: number | null };
  if (choice === undefined) {
    // No part of it can be had; how long it is, its end alone may tell.
    const length = size === null ? {} : { "content-length": String(size) };
    return new Response(stream ?? null, { headers: { ...headersOf(name), ...length } });
  }
  const { status, tag, offset, length } = choice;
  return new Response(stream ?? null, {
    status,
    headers: {
      ...headersOf(name),
      "accept-ranges": "bytes",
      ...(tag !== undefined && { etag: tag }),
      ...(status !== 304 && { "content-length": String(length) }),
      ...(status === 206 && { "content-range": `bytes ${offset}-${offset + length - 1}/${size}` }),
    },
  });
}
