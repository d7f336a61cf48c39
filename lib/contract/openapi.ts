/** OpenAPI 3.1, derived from the contract. Pure. Source: the OpenAPI Specification 3.1.0. */
import { type ErrorCode, ERRORS } from "./errors.ts";
import { EVENTS } from "./events.ts";
import { fields, IN_QUERY, requiredFields, REST_ROUTES, type RestRoute } from "./rest.ts";

/** Errors any call may give, beside its own. */
const ANY: readonly ErrorCode[] = [
  "InvalidInput",
  "Forbidden",
  "PermissionDenied",
  "LibvirtUnavailable",
  "LibvirtTimeout",
  "LibvirtBusy",
  "LibvirtFailed",
  "ConnectionLost",
  "NotSupported",
  "Internal",
];

const ERROR_SCHEMA = {
  type: "object",
  required: ["code", "message"],
  properties: {
    code: { type: "string", enum: Object.keys(ERRORS) },
    message: { type: "string" },
    details: { type: "object", additionalProperties: true },
  },
};

/** `get_vms` → `vms`: the noun of a path, as its group. */
function tag({ path }: RestRoute): string {
  return path.split("/")[1] ?? "";
}

function responses({ command }: RestRoute) {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set([...command.errors, ...ANY])) {
    const { status } = ERRORS[code];
    byStatus.set(status, [...byStatus.get(status) ?? [], code]);
  }
  return {
    200: {
      description: "Done",
      content: command.content === "download"
        ? { "application/octet-stream": { schema: { type: "string", format: "binary" } } }
        : { "application/json": { schema: command.output } },
    },
    ...Object.fromEntries(
      [...byStatus].sort(([a], [b]) => a - b).map(([status, codes]) => [status, {
        description: codes.map((code) => `${code}: ${ERRORS[code].text}`).join("\n\n"),
        content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
      }]),
    ),
  };
}

function operation(route: RestRoute) {
  const { name, command, method, pathFields } = route;
  const required = requiredFields(command);
  const schemas = Object.entries(fields(command));
  const inQuery = IN_QUERY.has(method);
  const parameters = schemas
    .filter(([field]) =>
      pathFields.includes(field) || (command.content === undefined ? inQuery : field === "checksum")
    )
    .map(([field, schema]) => ({
      name: field,
      in: pathFields.includes(field) ? "path" : "query",
      required: required.includes(field),
      schema,
    }));
  const body = inQuery || command.content !== undefined
    ? []
    : schemas.filter(([field]) => !pathFields.includes(field));
  return {
    operationId: name,
    summary: command.summary,
    ...(command.description !== undefined && { description: command.description }),
    tags: [tag(route)],
    "x-role": command.role,
    ...(parameters.length > 0 && { parameters }),
    ...(command.content === "upload" && {
      requestBody: {
        required: true,
        content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } },
      },
    }),
    ...(body.length > 0 && {
      requestBody: {
        required: true,
        content: {
          "application/json": {
            schema: {
              type: "object",
              properties: Object.fromEntries(body),
              required: body.map(([field]) => field).filter((field) => required.includes(field)),
              additionalProperties: false,
            },
          },
        },
      },
    }),
    responses: responses(route),
  };
}

/** The whole description. `version` is KVM Manager's. */
export function openApi(version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of REST_ROUTES) (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route);
  paths["/commands/{name}"] = {
    post: {
      operationId: "call_command",
      summary: "Call any command by its name, its input as JSON",
      tags: ["commands"],
      parameters: [{
        name: "name",
        in: "path",
        required: true,
        schema: { type: "string", enum: REST_ROUTES.map((route) => route.name) },
      }],
      requestBody: { content: { "application/json": { schema: { type: "object" } } } },
      responses: {
        200: { description: "Done", content: { "application/json": { schema: {} } } },
        default: {
          description: "An error of the command",
          content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
        },
      },
    },
  };
  paths["/events"] = {
    get: {
      operationId: "events",
      summary: "Follow what happens, as server-sent events",
      description:
        "Events with an id can be resumed: send the last one seen as `Last-Event-ID` or `?since=`. " +
        "What was missed follows; where it is no longer kept, a `reload` event says to read everything anew.\n\n" +
        Object.keys(EVENTS).map((name) => `- \`${name}\``).join("\n"),
      tags: ["events"],
      parameters: [{ name: "since", in: "query", required: false, schema: { type: "string" } }],
      responses: {
        200: { description: "The stream", content: { "text/event-stream": { schema: { type: "string" } } } },
      },
    },
  };
  return {
    openapi: "3.1.0",
    info: { title: "KVM Manager", version, description: "Every command of this host's KVM Manager." },
    servers: [{ url: "/api/v1" }],
    paths,
    components: { schemas: { Error: ERROR_SCHEMA } },
  };
}
