/** One request at a command's own route: its input, its conditions, and the answer's status and heads. */
import Type from "typebox";
import { ContractError } from "../../lib/contract/errors.ts";
import { fromText, IN_QUERY, inputFields, type RestRoute } from "../../lib/contract/rest.ts";
import { type ListParameters, listQueryOf, viewOf } from "../../lib/rest/list_query.ts";
import { conditionsOn, type ListedItem, outcomeOf, type Readable } from "../../lib/rest/resources.ts";
import type { Principal } from "../access.ts";
import type { Dispatch } from "../dispatch.ts";
import { readJson } from "./body.ts";
import { ChangeQueue, etagOf, hasFigures, isConditional, isKnown, requireMatch } from "./conditions.ts";
import { jsonLinesResponse, wantsLines } from "./lines.ts";
import { type Call, withIds } from "./place_names.ts";
import { message } from "../../lib/i18n/message.ts";

type Fields = Record<string, unknown>;
type Place = Readonly<Record<string, string>>;

/** A parsed request: the command's input, and the form of its answer. */
interface Asked {
  readonly input: Fields;
  readonly view: ListParameters;
}

const twice = (name: string) =>
  new ContractError("InvalidInput", { reason: message`${name} was given twice` });

/** Names and texts of a query, each given once. @throws {ContractError} InvalidInput */
function queryOf(request: Request, place: Place): Record<string, string> {
  const query: Record<string, string> = Object.create(null); // or `__proto__` would not be a field
  for (const [name, text] of new URL(request.url).searchParams) {
    if (Object.hasOwn(query, name) || Object.hasOwn(place, name)) throw twice(name);
    query[name] = text;
  }
  return query;
}

/** Refuses query names that a path does not know. @throws {ContractError} InvalidInput */
export function requireQuery(request: Request, known: readonly string[]): void {
  const unknown = Object.keys(queryOf(request, {})).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const there = known.length === 0 ? "This address takes none" : `There are ${known.join(", ")}`;
  throw new ContractError("InvalidInput", {
    reason: message`unknown field ${JSON.stringify(unknown.slice(0, 64))} in the query. ${there}`,
  });
}

/** A command's input from path, query and body, and the view its query asks for. A field may be given once only. */
async function askedOf(route: RestRoute, request: Request, place: Place, limit: number): Promise<Asked> {
  const { command, method } = route, schemas = inputFields(command), query = queryOf(request, place);
  if (IN_QUERY.has(method)) {
    const views = listQueryOf(route);
    requireQuery(request, [
      ...Object.keys(schemas).filter((name) => !(name in place)),
      ...Object.keys(views),
    ]);
    const isView = (name: string) => Object.hasOwn(views, name);
    const named = Object.entries(query);
    const view = Object.fromEntries(named.filter(([name]) => isView(name)));
    const own = named.filter(([name]) => !isView(name)).map((
      [name, text],
    ) => [name, fromText(schemas[name], text)]);
    return { input: { ...Object.fromEntries(own), ...place }, view };
  }
  if (Object.keys(query).length > 0) {
    throw new ContractError("InvalidInput", {
      reason: message`${method} takes its fields from the body, not the query`,
    });
  }
  const body = await readJson(request, limit);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new ContractError("InvalidInput", { reason: "the body must be a JSON object" });
  }
  const again = Object.keys(place).find((name) => Object.hasOwn(body, name));
  if (again !== undefined) throw twice(again);
  return { input: { ...body, ...place }, view: {} };
}

/** The entry of a list that a path names. @throws {ContractError} if the list has none */
async function listedItem(call: Call, item: ListedItem, input: Readonly<Fields>): Promise<unknown> {
  const { list, field, key, missing } = item, { [field]: wanted, ...others } = input;
  const rows = await call(list.name, others);
  const found = Array.isArray(rows) ? rows.find((row) => row[key] === wanted) : undefined;
  if (found !== undefined) return found;
  const path = `${list.path.slice(0, 200)}/${String(wanted).slice(0, 64)}`;
  throw new ContractError(missing, missing === "NotFound" ? { path } : { [field]: wanted });
}

/** Reads the present state of the resource that a condition is about. */
export async function readOf(call: Call, readable: Readable, input: Readonly<Fields>): Promise<unknown> {
  if ("list" in readable) return await listedItem(call, readable, placed(readable.path, input));
  return await call(readable.name, placed(readable.path, input, readable));
}

/** The fields of an input that a path has, and the host. */
function placed(path: string, input: Readonly<Fields>, route?: RestRoute): Fields {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, field]) => field!);
  const takesHost = route === undefined || Object.hasOwn(inputFields(route.command), "host");
  if (takesHost && input.host !== undefined) names.push("host");
  return Object.fromEntries(names.map((name) => [name, input[name]]));
}

const JSON_HEADS = { "content-type": "application/json", "cache-control": "no-store" } as const;

/** An answer as JSON. */
export const jsonResponse = (answer: unknown, status = 200, heads: Readonly<Record<string, string>> = {}) =>
  new Response(JSON.stringify(answer ?? null), { status, headers: { ...JSON_HEADS, ...heads } });

/**
 * Response with the state that was read, or 304 if the client has it already. @param whole content that the
 * ETag is of
 */
export function shownResponse(request: Request, whole: unknown, answer = whole, heads = {}): Response {
  const etag = etagOf(whole);
  requireMatch(request.headers, etag);
  if (isKnown(request.headers, etag) && !hasFigures(answer)) {
    return new Response(null, { status: 304, headers: { etag, "cache-control": "no-store", ...heads } });
  }
  return jsonResponse(answer, 200, { etag, ...heads });
}

/** The heads with the address of the next page, and with how many entries were looked at of a list that has more. */
function pageHeads(
  request: Request,
  after: string | undefined,
  cutAt: number | undefined,
): Record<string, string> {
  const heads: Record<string, string> = cutAt === undefined ? {} : { "x-list-cut-at": String(cutAt) };
  if (after === undefined) return heads;
  const query = new URL(request.url).searchParams;
  query.set("after", after);
  return { ...heads, link: `<?${query}>; rel="next"` };
}

/** Schema of the name of a list's entry, in a path. */
const ENTRY = Type.String();

/** Answers requests at the routes of commands. */
export class RestDoor {
  readonly #changes = new ChangeQueue();

  constructor(private readonly dispatch: Dispatch) {}

  /** @throws {ContractError} */
  async answer(route: RestRoute, request: Request, place: Place, principal: Principal, limit: number) {
    const call: Call = (command, input) => this.dispatch(command, input, principal);
    const asked = await askedOf(route, request, place, limit);
    const { view } = asked,
      input = await withIds(call, asked.input, inputFields(route.command), route.command.namedAs);
    if (route.command.tells && wantsLines(request)) {
      return await jsonLinesResponse((content) => this.dispatch(route.name, input, principal, content));
    }
    if (route.method === "GET") return await this.#show(route, request, input, view, call);
    return await this.#change(route, request, input, call, async () => {
      const answer = await call(route.name, input), { status, location } = outcomeOf(route, answer, input);
      const host = typeof input.host === "string" ? `?host=${encodeURIComponent(input.host)}` : "";
      return jsonResponse(answer, status, {
        ...(location !== undefined && { location: `/api/v1${location}${status === 202 ? "" : host}` }),
      });
    });
  }

  /** The entry of a list as a thing of its own. @throws {ContractError} */
  async item(item: ListedItem, request: Request, place: Place, principal: Principal): Promise<Response> {
    const call: Call = (command, input) => this.dispatch(command, input, principal);
    const { list } = item, query = queryOf(request, place), own = inputFields(list.command);
    const known = Object.keys(own).filter((name) => !(name in place));
    requireQuery(request, [...known, "fields"]);
    const { fields: wanted, ...rest } = query;
    const named = Object.entries(rest).map(([name, text]) => [name, fromText(own[name], text)]);
    const asked = { ...Object.fromEntries(named), ...place };
    const input = await withIds(call, asked, { ...own, [item.field]: ENTRY });
    const whole = await listedItem(call, item, input);
    const { answer } = viewOf(list.command, { ...(wanted !== undefined && { fields: wanted }) }).apply([
      whole,
    ]);
    return shownResponse(request, whole, (answer as unknown[])[0]);
  }

  async #show(
    route: RestRoute,
    request: Request,
    input: Fields,
    view: ListParameters,
    call: Call,
  ): Promise<Response> {
    const { ask, apply } = viewOf(route.command, view, input.limit);
    const whole = await call(route.name, ask === undefined ? input : { ...input, limit: ask });
    const { answer, next, cutAt } = apply(whole);
    const isPart = view.fields !== undefined && Object.keys(view).length === 1;
    return shownResponse(request, isPart ? whole : answer, answer, pageHeads(request, next, cutAt));
  }

  /** Carries a change out if the conditions of the request hold. @throws {ContractError} */
  async #change(
    route: RestRoute,
    { headers }: Request,
    input: Fields,
    call: Call,
    change: () => Promise<Response>,
  ): Promise<Response> {
    if (!isConditional(headers)) return await change();
    const readable = conditionsOn(route);
    if (readable === undefined) {
      const reason = "nothing here has an ETag: send it without If-Match and If-None-Match";
      throw new ContractError("InvalidInput", { reason });
    }
    return await this.#changes.run(
      JSON.stringify([readable.path, placed(readable.path, input)]),
      async () => {
        const tag = etagOf(await readOf(call, readable, input));
        requireMatch(headers, tag);
        if (isKnown(headers, tag)) throw new ContractError("ThereAlready", { tag });
        return await change();
      },
    );
  }
}
