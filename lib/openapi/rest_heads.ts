/** Heads of requests and answers at the commands' routes, and single entries of lists. Pure. */
import type { TSchema } from "typebox";
import { needOf } from "../access/permissions.ts";
import type { ErrorCode } from "../contract/errors.ts";
import { inputFields } from "../contract/rest.ts";
import { LISTED_ITEMS, type ListedItem } from "../rest/resources.ts";
import { exampleOf } from "./examples.ts";
import { referred } from "./schemas.ts";

/** An ETag, or several, or `*`. */
const ETAGS = { type: "string", maxLength: 1024, pattern: "^[\\x21-\\x7e ]*$" } as const;

/** Heads that requests may have. */
export const REQUEST_HEADS = {
  noneMatch: {
    name: "If-None-Match",
    in: "header",
    description: "ETag of what is known already: 304 while it is that",
    required: false,
    schema: ETAGS,
  },
  match: {
    name: "If-Match",
    in: "header",
    description: "ETag of what the change was decided on: 412 where it is something else by now",
    required: false,
    schema: ETAGS,
  },
} as const;

/** Heads of answers. */
export const ANSWER_HEADS = {
  etag: { description: "Changes with what is answered", schema: { type: "string", maxLength: 256 } },
  location: {
    description: "Address of what was made, or of the job that goes on",
    schema: { type: "string", maxLength: 2048 },
  },
  link: {
    description: '`<?…>; rel="next"`: the query of the next page, where more entries follow',
    schema: { type: "string", maxLength: 8192 },
  },
  missingHosts: {
    description:
      "Ids of hosts that were not read since the start, which the list has nothing of; see `list_hosts`",
    schema: { type: "string", maxLength: 8192 },
  },
  staleHosts: {
    description:
      "Ids of hosts that do not answer, which the list has as they were, with the age of that in seconds: `kvm2;age=312`",
    schema: { type: "string", maxLength: 8192 },
  },
  cutAt: {
    description: "Entries that were looked at, where the list gives no more at once: others may follow",
    schema: { type: "integer", format: "int32", minimum: 1, maximum: 1_000_000 },
  },
} as const;

type Errors = (...codes: ErrorCode[]) => Record<string, unknown>;

const described = (name: string, { description }: TSchema & { description?: string }) =>
  description ?? `The ${name}`;

function operation({ list, field, path, missing }: ListedItem, errors: Errors) {
  const { permission } = needOf(list.name),
    places = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const { items } = list.command.output as unknown as { items: TSchema };
  const known = Object.entries(inputFields(list.command)).map(([name, schema]) => ({
    name,
    in: places.includes(name) ? "path" : "query",
    description: described(name, schema),
    required: places.includes(name),
    schema: referred(schema),
  }));
  return {
    operationId: `${list.name}_entry`,
    summary: `${list.command.summary}: one of them`,
    description: `The entry of \`${list.name}\` that the path names.\n\nNeeds: \`${permission}\`.`,
    tags: [path.split("/")[1] ?? ""],
    "x-permission": permission,
    parameters: [
      ...known,
      {
        name: field,
        in: "path",
        description: "Its id or name",
        required: true,
        schema: { type: "string", minLength: 1, maxLength: 256 },
      },
      REQUEST_HEADS.noneMatch,
    ],
    responses: {
      200: {
        description: "Done",
        headers: { ETag: ANSWER_HEADS.etag },
        content: { "application/json": { schema: referred(items), example: exampleOf(items) } },
      },
      304: { description: "It is still what the ETag in If-None-Match stands for" },
      ...errors(missing, "NameAmbiguous"),
    },
  };
}

/** Entries of lists that have an address of their own: path → its GET. @param errors the answers of these errors */
export const LISTED_PATHS = (errors: Errors) =>
  LISTED_ITEMS.map((item) => [item.path, operation(item, errors)] as const);
