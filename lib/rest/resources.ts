/** Resources at the paths of REST: single objects, created objects, and objects of conditions. Pure. */
import type { Command } from "../contract/command.ts";
import type { ErrorCode } from "../contract/errors.ts";
import { type CommandName, COMMANDS } from "../contract/mod.ts";
import { REST_ROUTES, type RestRoute } from "../contract/rest.ts";

/** A single thing that a list alone shows: `GET {list path}/{field}` gives its entry. */
export interface ListedItem {
  /** Below `/api/v1`, ending with the field. */
  readonly path: string;
  readonly list: RestRoute;
  /** Field of the path, and of an entry, that tells which one it is. */
  readonly field: string;
  readonly key: string;
  /** The error where there is none. */
  readonly missing: ErrorCode;
}

const GETS = new Map(
  REST_ROUTES.filter(({ method, command }) => method === "GET" && command.content === undefined)
    .map((route) => [route.path, route]),
);

/** Paths that other methods have, and of which a list shows the entries. */
export const LISTED_ITEMS: readonly ListedItem[] = [...GETS.values()].flatMap((list) => {
  const { lookup } = list.command;
  if (lookup === undefined || lookup.in !== undefined || list.command.rows !== undefined) return [];
  return lookup.fields.flatMap((field) => {
    const path = `${list.path}/{${field}}`;
    const isThere = REST_ROUTES.some((route) => route.path === path);
    if (!isThere || GETS.has(path)) return [];
    const { missing } = lookup;
    return [{
      path,
      list,
      field,
      key: missing === undefined ? lookup.by : "id",
      missing: missing ?? "NotFound" as const,
    }];
  });
});

/** Content of a path that a condition (`If-Match`) is about. */
export type Readable = RestRoute | ListedItem;

const READABLE = new Map<string, Readable>([
  ...GETS,
  ...LISTED_ITEMS.map((item) => [item.path, item] as const),
]);

/**
 * Content that a request's conditions are about: that of its own path, else the nearest single object that it is part
 * of.
 *
 * @returns undefined if no content is there
 */
export function conditionsOn({ path }: Pick<RestRoute, "path">): Readable | undefined {
  const own = READABLE.get(path);
  if (own !== undefined) return own;
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
    const above = path.slice(0, at);
    if (above.endsWith("}") && READABLE.has(above)) return READABLE.get(above);
  }
  return undefined;
}

/** Paths of which others are parts, as `/vms` of `/vms/{vmId}` → the field of the part. */
const COLLECTIONS = new Map(
  REST_ROUTES.flatMap(({ path }) =>
    [...path.matchAll(/\/\{(\w+)\}/g)].map(({ 1: field, index }) => [path.slice(0, index), field!] as const)
  ),
);

/**
 * Path of the object that a route creates; undefined for one that creates none with an address. Fields are the
 * answer's, or its own.
 */
function placeOfMade({ method, path, command }: RestRoute): string | undefined {
  if (method !== "POST" || command.readOnly) return undefined;
  if (command.makesAt !== undefined) return command.makesAt;
  if (command.makesVm !== undefined) return `/vms/{${command.makesVm}}`;
  const field = COLLECTIONS.get(path);
  return field === undefined ? undefined : `${path}/{${field}}`;
}

const MADE: ReadonlyMap<CommandName, string> = new Map(
  REST_ROUTES.flatMap((route) => {
    const place = placeOfMade(route);
    return place === undefined ? [] : [[route.name, place] as const];
  }),
);

/** Whether a command's answer is 201 where it makes what it says. */
export const isMaking = (name: CommandName): boolean =>
  MADE.has(name) || (COMMANDS[name] as Command).makesVms === true;

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A field of a place, from the answer (its id or name, or one of a part of it), else from the input. */
function valueOf(field: string, isLast: boolean, answer: Fields, input: Fields): string | undefined {
  const names = isLast ? [field, "id", "name"] : [field];
  for (const from of [answer, ...Object.values(answer).filter(isFields), ...(isLast ? [] : [input])]) {
    const found = names.map((name) => from[name]).find((value) =>
      typeof value === "string" || typeof value === "number"
    );
    if (found !== undefined) return String(found);
  }
  return undefined;
}

/** Whether a command's answer has the id of a job that goes on. */
const hasJob = ({ output }: Command) => "jobId" in ((output as { properties?: object }).properties ?? {});

/** Commands whose answer may be 202, and why. */
export const startsJob = ({ command, method }: Pick<RestRoute, "command" | "method">): boolean =>
  method === "POST" && hasJob(command);

/** How a request that was carried out is answered: what it made, and where that is; the job that goes on. */
export interface Outcome {
  readonly status: 200 | 201 | 202;
  /** Below `/api/v1`. */
  readonly location?: string;
}

/** The status of an answer. @param input what the command was called with */
export function outcomeOf(route: RestRoute, answer: unknown, input: Fields): Outcome {
  const fields = isFields(answer) ? answer : {};
  if (startsJob(route) && typeof fields.jobId === "string") {
    return { status: 202, location: `/jobs/${encodeURIComponent(fields.jobId)}` };
  }
  if (!isMaking(route.name)) return { status: 200 };
  const place = MADE.get(route.name);
  if (place === undefined) return { status: 201 };
  // What is put in the place of the VM itself makes none.
  if (route.command.makesVm !== undefined && input.vmId !== undefined && input.vmId === fields.vmId) {
    return { status: 200 };
  }
  const names = [...place.matchAll(/\{(\w+)\}/g)].map(([, field]) => field!);
  const values = names.map((field, index) => valueOf(field, index === names.length - 1, fields, input));
  if (values.some((value) => value === undefined)) return { status: 201 };
  let at = 0;
  return { status: 201, location: place.replace(/\{\w+\}/g, () => encodeURIComponent(values[at++]!)) };
}
