/** One command, carried out by another KVM Manager: fields, content and lines, as its REST API takes and gives them. */
import {
  type Command,
  type CommandName,
  COMMANDS,
  ContractError,
  type ErrorCode,
  ERRORS,
} from "../../../lib/contract/mod.ts";
import { LINES_TYPE } from "../../../lib/contract/lines.ts";
import { contentAddress } from "../../../lib/rest/content_address.ts";
import { attachmentName } from "../../../lib/text/attachment.ts";
import { locale } from "../../../lib/i18n/locale.ts";
import { parseJson } from "../../../lib/text/json.ts";
import { severalLines } from "../../../lib/text/text.ts";
import { readAs } from "../../../lib/typebox/tolerant.ts";
import type { Content, RequestBody } from "../../dispatch.ts";
import { readBounded, TextCutter } from "./bounded.ts";
import type { PeerRequest } from "./peer_connection.ts";

/** Bytes of an answer. */
const MOST_ANSWER = 16 * 1024 * 1024;
/** Milliseconds from the heads of an answer to its end: they come once the command is through. */
const ANSWER_MS = 20_000;
/** Characters of a text of an error. */
const LONGEST_TEXT = 4000;
/** Characters of one line of what comes while a command works. */
const MOST_LINE = 2 * 1024 * 1024;

/** Sends a request to the other one, as the user who calls. */
export type Send = (path: string, request: PeerRequest) => Promise<Response>;

/** The other one answered what no KVM Manager answers. */
export class NonsenseError extends Error {
  override readonly name: string = "NonsenseError";
}

/** The other one answered what the contract of this version does not know. */
export class NotUnderstoodError extends NonsenseError {
  override readonly name = "NotUnderstoodError";
}

/**
 * Errors that are about the link, not about the call: they must not look as if the caller were not signed in here, nor as if
 * this version did not have the command.
 */
const OF_THE_LINK: ReadonlySet<string> = new Set([
  "NotSignedIn",
  "TokenInvalid",
  "PasswordNeeded",
  "SignInFailed",
  "SignInExpired",
  "ForeignHost",
  "ForeignOrigin",
  "UnknownCommand",
]);

const isPlain = (value: unknown): boolean =>
  value === null || ["string", "number", "boolean"].includes(typeof value) ||
  Array.isArray(value) && value.every((each) => each === null || typeof each !== "object");

/** A text as it may be shown, and kept in the audit log. */
const shown = (text: string) => severalLines(text.slice(0, LONGEST_TEXT));

const withoutControls = (value: unknown): unknown =>
  typeof value === "string" ? shown(value) : Array.isArray(value) ? value.map(withoutControls) : value;

/** An error of the other one as ours. Details are plain values alone: a message in them would be made into text here. */
export function farError(body: unknown, status: number): Error {
  const { code, message, details } = (body ?? {}) as Readonly<Record<string, unknown>>;
  const text = typeof message === "string" ? shown(message) : `HTTP ${status}`;
  if (typeof code !== "string" || !Object.hasOwn(ERRORS, code) || OF_THE_LINK.has(code)) {
    return new NonsenseError(text);
  }
  const plain = Object.entries((typeof details === "object" && details) || {})
    .filter(([name, value]) => !name.startsWith("$") && isPlain(value))
    .map(([name, value]) => [name, withoutControls(value)]);
  return ContractError.fromBody({ code, message: text, details: Object.fromEntries(plain) });
}

/** @throws {NonsenseError} */
function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new NonsenseError("it answers with something that is not JSON", { cause: error });
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  const text = await readBounded(response, MOST_ANSWER, AbortSignal.timeout(ANSWER_MS));
  const body = text === "" ? null : parsed(text);
  if (response.ok) return body;
  throw farError(body, response.status);
}

/** A command's output, checked against the contract. @throws {NonsenseError} */
function checked(command: CommandName, answer: unknown): unknown {
  const known = readAs(COMMANDS[command].output, answer);
  if (known !== undefined) return known;
  throw new NotUnderstoodError(`its answer to ${command} is not as the contract of this version says`);
}

/**
 * A body that is read piece by piece, as a stream. One that ends early fails: the other side would wait for
 * the rest.
 *
 * @param length bytes
 */
function streamOf(body: RequestBody, length: number): ReadableStream<Uint8Array> {
  let left = length;
  return new ReadableStream({
    pull: async (controller) => {
      const piece = await body.next();
      left -= piece?.length ?? 0;
      if (piece !== null) controller.enqueue(piece);
      else if (left > 0) controller.error(new Error("the content broke off"));
      else controller.close();
    },
    cancel: (reason) => body.interrupt(reason),
  }, { highWaterMark: 0 });
}

async function upload(
  send: Send,
  command: CommandName,
  input: Readonly<Record<string, unknown>>,
  body: RequestBody,
) {
  const { size = 0, offset = 0, resumable = false } = input as {
    size?: number;
    offset?: number;
    resumable?: boolean;
  };
  const isPart = resumable || offset > 0, length = size - offset;
  const response = await send(contentAddress(COMMANDS[command], input), {
    method: "PUT",
    headers: {
      "content-length": String(length),
      ...(isPart && { "content-range": `bytes ${offset}-${size - 1}/${size}` }),
    },
    body: streamOf(body, length),
  });
  return checked(command, await jsonOf(response));
}

/** Whether a part of what a command gives can be asked for. */
const hasParts = (command: CommandName) =>
  (COMMANDS[command].errors as readonly ErrorCode[]).includes("RangeNotSatisfiable");

function sizeIn(headers: Headers): number | null {
  const length = headers.get("content-length");
  return length === null ? null : Number(length);
}

const nameIn = (headers: Headers) => attachmentName(headers.get("content-disposition") ?? "");

async function download(
  send: Send,
  command: CommandName,
  input: Readonly<Record<string, unknown>>,
  { answer, choose }: Content,
) {
  const address = contentAddress(COMMANDS[command], input);
  let part: Record<string, string> | undefined, expected: number | undefined;
  if (choose !== undefined && hasParts(command)) {
    const head = await send(address, { method: "HEAD" });
    // Its connection is free once it was read
    await head.arrayBuffer();
    // Its reason is in the body
    const size = sizeIn(head.headers);
    if (head.ok && size !== null) {
      const name = nameIn(head.headers);
      const tag = head.headers.get("etag") ?? undefined;
      const wanted = choose({ size, version: tag?.replace(/^"|"$/g, "") });
      if (wanted === null) return { name, size };
      const { offset, length } = wanted;
      expected = length;
      // A part of what it is now: it may be another one by the next request
      if (length < size) {
        part = { range: `bytes=${offset}-${offset + length - 1}`, ...(tag && { "if-match": tag }) };
      }
    }
  }
  const response = await send(address, part === undefined ? {} : { headers: part });
  if (!response.ok) await jsonOf(response);
  if (part !== undefined && response.status !== 206) {
    throw new NonsenseError("it does not give the part that was asked for");
  }
  if (expected !== undefined && sizeIn(response.headers) !== expected) {
    await response.body?.cancel();
    throw new NonsenseError("it gives another length than it said before: try again if it was just changed");
  }
  const { headers, body } = response, [, whole] = /\/(\d+)$/.exec(headers.get("content-range") ?? "") ?? [];
  if (body !== null) answer?.(body);
  return { name: nameIn(headers), size: whole === undefined ? sizeIn(headers) : Number(whole) };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Hands on what comes while a command works. @returns its result */
async function follow(response: Response, { tell }: Content): Promise<unknown> {
  if (!response.ok) return await jsonOf(response);
  const decoder = new TextDecoder(), cutter = new TextCutter("\n", MOST_LINE);
  for await (const chunk of response.body ?? []) {
    for (const line of cutter.take(decoder.decode(chunk, { stream: true }))) {
      const said = parsed(line);
      if (!isRecord(said)) throw new NonsenseError("it answers with a line that is no object");
      if ("error" in said) throw farError(said.error, response.status);
      if ("result" in said) return said.result;
      tell?.(said);
    }
  }
  throw new NonsenseError("its answer broke off");
}

/**
 * Has a command carried out by the peer.
 *
 * @throws {ContractError} its refusals; {NonsenseError}; system errors
 */
export async function callRemotely(
  send: Send,
  command: CommandName,
  input: Readonly<Record<string, unknown>>,
  content: Content = {},
): Promise<unknown> {
  const { content: kind, tells }: Command = COMMANDS[command];
  const { body, answer } = content;
  // By a route that has none: nothing would read what comes
  if (kind === "upload" ? body === undefined : kind === "download" && answer === undefined) {
    throw new ContractError("ContentExpected");
  }
  if (kind === "upload") return await upload(send, command, input, body!);
  if (kind === "download") return await download(send, command, input, content);
  const isTold = tells === true && content.tell !== undefined;
  const response = await send(`/api/v1/commands/${command}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "accept-language": locale(),
      ...(isTold && { accept: LINES_TYPE }),
    },
    body: JSON.stringify(input),
    ...(content.gone && { signal: content.gone }),
  });
  return checked(command, isTold ? await follow(response, content) : await jsonOf(response));
}
