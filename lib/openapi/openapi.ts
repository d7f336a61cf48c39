/** OpenAPI 3.1, derived from the contract. Pure. Source: the OpenAPI Specification 3.1.0. */
import { needOf } from "../access/permissions.ts";
import { type ErrorCode, ERRORS } from "../contract/errors.ts";
import { exampleOf, inputExample } from "./examples.ts";
import { EXTRA_PATHS } from "./paths.ts";
import { namedSchemas, referred } from "./schemas.ts";
import { isNamed, type NamedAs } from "../contract/lookups.ts";
import { IN_QUERY, inputFields, requiredFields, REST_ROUTES, type RestRoute } from "../contract/rest.ts";
import { listQueryOf } from "../rest/list_query.ts";
import { conditionsOn, isMaking, startsJob } from "../rest/resources.ts";
import { longestList } from "../contract/lookups.ts";
import { ANSWER_HEADS, LISTED_PATHS, REQUEST_HEADS } from "./rest_heads.ts";

/** Errors any call may give, in addition to its own. */
const ANY: readonly ErrorCode[] = [
  "InvalidInput",
  "ForeignOrigin",
  "ProxyChangesHost",
  "ForeignHost",
  "PermissionDenied",
  "LibvirtUnavailable",
  "LibvirtTimeout",
  "LibvirtBusy",
  "LibvirtFailed",
  "VmOnSeveralHosts",
  "ConnectionLost",
  "NotSupported",
  "StoreUnavailable",
  "TooManyRequests",
  "Internal",
];
/** … any that somebody must be signed in for. */
const SIGNED_IN: readonly ErrorCode[] = ["NotSignedIn", "TokenInvalid", "Forbidden"];
/** … any whose change may depend on what is there. */
const CONDITIONAL: readonly ErrorCode[] = ["PreconditionFailed", "ThereAlready"];
/** … any that takes JSON. */
const WITH_BODY: readonly ErrorCode[] = [
  "InvalidJson",
  "UnsupportedMediaType",
  "BodyTooLarge",
  "BodyTimeout",
];

/** The first part of a path → what is found below it. */
const TAGS: Readonly<Record<string, string>> = {
  "vms": "Virtual machines: power, hardware, disks, cards, screens, XML.",
  "batch": "Power of several VMs at once, each with its own result.",
  "foreign-vms": "VMs of other hypervisors and hosts that can be imported.",
  "create-options": "What a new VM can have on this host.",
  "operating-systems": "Operating systems, and what suits them.",
  peers: "Other KVM Managers that may act on this host.",
  "cloud-init": "What a guest is told at its first boot.",
  "host-devices": "USB and PCI devices of the host that VMs can be given.",
  "host": "The host itself.",
  "hosts": "The hosts that are served.",
  "connection": "The connection to libvirt.",
  "activity": "What happened lately.",
  "storage": "Storage pools and their volumes.",
  "images": "ISO and disk images of all pools, and where more come from.",
  "insights":
    "What the figures of VMs, hosts and pools say that somebody should know, and what to do about it.",
  "networks": "Virtual networks.",
  "network-options": "What a new network can have on this host.",
  "network-topology": "How VMs, networks and the host's devices hang together.",
  "nic-filters": "What a VM's card may send and receive.",
  "port-forwards": "Ports of the host that lead to VMs.",
  "port-forwarding": "Whether this host can forward ports.",
  "jobs": "Long work.",
  "alerts": "What is watched.",
  "alert-history": "What fires, and what has fired.",
  "alert-silences": "When no alerts are sent.",
  "alert-targets": "Who is told of alerts.",
  "backup-targets": "Where backups are kept, in addition to plain folders.",
  "mcp": "Programs that manage VMs by MCP: whether they may, and their sessions.",
  "metrics": "How long figures of hosts and VMs are kept.",
  "backups": "What is kept of VMs, and how it comes back.",
  "job-search": "Tasks of all hosts, by words and page by page.",
  "bin": "What was deleted, and how it comes back.",
  "templates": "VMs kept as they were, to make new ones of.",
  "replications": "VMs that are kept up to date on linked hosts, and switch-over to them.",
  "replicas": "Copies of other hosts' VMs that are kept up to date here, and take over.",
  "schedules": "What is done to VMs at set times.",
  "projects": "Named sets of VMs with members, quotas and defaults.",
  "profiles": "Named sets of tools with permissions, for automation on projects.",
  "tools": "Skills, automation accounts, hooks and outside MCP servers that profiles name.",
  "placement-rules": "On which hosts VMs belong.",
  "placement-advice": "Which VMs could move, and why.",
  "schedule-preview": "When a schedule would run.",
  "session": "Who one is, signing in and out.",
  "setup": "The first administrator.",
  "account": "One's own password, second factor and passkeys.",
  "users": "Who may get in.",
  "sessions": "Who is signed in, from where.",
  "roles": "What may be done.",
  "permissions": "What roles are made of.",
  "tokens": "API tokens, for programs.",
  "audit": "Who did what.",
  "certificate": "What the server proves itself with.",
  "credentials": "Keys, certificates and passwords of KVM Manager: where they are, and what uses them.",
  "commands": "Every command by its name.",
  "events": "What happens, as it happens.",
  "consoles": "Screens and serial lines.",
};

/** `get_vms` → `vms`: the noun of a path, as its group. */
const tag = ({ path }: RestRoute) => path.split("/")[1] ?? "";

const ERROR = { "application/json": { schema: { $ref: "#/components/schemas/Error" } } };

/** Response with a status, and one example for each error. */
function errorResponse(codes: readonly ErrorCode[]) {
  return {
    description: codes.map((code) => `${code}: ${ERRORS[code].text}`).join("\n\n"),
    content: {
      "application/json": {
        ...ERROR["application/json"],
        examples: Object.fromEntries(
          codes.map((code) => [code, { value: { code, message: ERRORS[code].text } }]),
        ),
      },
    },
  };
}

/** Statuses → the errors with them. */
function byStatus(codes: Iterable<ErrorCode>): Map<number, ErrorCode[]> {
  const found = new Map<number, ErrorCode[]>();
  for (const code of new Set(codes)) {
    const { status } = ERRORS[code];
    found.set(status, [...found.get(status) ?? [], code]);
  }
  return new Map([...found].sort(([a], [b]) => a - b));
}

/** Answers that many commands have alike are written once, by what they say. */
class SharedResponses {
  readonly #names = new Map<string, string>();
  readonly #all = new Map<string, unknown>();

  of(codes: Iterable<ErrorCode>): Record<string, unknown> {
    return Object.fromEntries(
      [...byStatus(codes)].map(([status, each]) => [status, { $ref: this.#place(status, each) }]),
    );
  }

  get all(): Record<string, unknown> {
    return Object.fromEntries(this.#all);
  }

  #place(status: number, codes: readonly ErrorCode[]): string {
    const key = codes.join();
    let name = this.#names.get(key);
    if (name === undefined) {
      const same = [...this.#names.values()].filter((each) => each.startsWith(`Error${status}`)).length;
      name = `Error${status}${same === 0 ? "" : `_${same + 1}`}`;
      this.#names.set(key, name);
      this.#all.set(name, errorResponse(codes));
    }
    return `#/components/responses/${name}`;
  }
}

/** As large as a volume may be. */
const OCTETS = {
  "application/octet-stream": {
    schema: { type: "string", format: "binary", maxLength: Number.MAX_SAFE_INTEGER },
  },
};

const NOT_CHANGED = { description: "What is asked for is still what the ETag in If-None-Match stands for" };

/** Possible headers of an answer. */
function headsOf(route: RestRoute) {
  const { command, method } = route;
  if (method === "GET") {
    return {
      ETag: ANSWER_HEADS.etag,
      ...(command.ofAllHosts && {
        "X-Missing-Hosts": ANSWER_HEADS.missingHosts,
        "X-Stale-Hosts": ANSWER_HEADS.staleHosts,
      }),
      ...("after" in listQueryOf(route) && {
        Link: ANSWER_HEADS.link,
        ...(longestList(command) !== undefined && { "X-List-Cut-At": ANSWER_HEADS.cutAt }),
      }),
    };
  }
  return {
    ...((isMaking(route.name) || startsJob({ command, method })) && { Location: ANSWER_HEADS.location }),
  };
}

/** Statuses of what was carried out → what they say. */
function statusesOf(route: RestRoute): readonly (readonly [number, string])[] {
  if (isMaking(route.name)) {
    const isAlso = route.command.makesVm !== undefined && "vmId" in inputFields(route.command);
    return [[201, "Made: Location has its address"], ...(isAlso ? [[200, "Done"] as const] : [])];
  }
  return startsJob(route)
    ? [[202, "Begun: Location has the address of its job"], [200, "Done"]]
    : [[200, "Done"]];
}

function answer(route: RestRoute) {
  const { command } = route;
  if (command.content === "download") {
    return {
      200: { description: "The content", content: OCTETS },
      206: { description: "The part of the content that the request's Range names", content: OCTETS },
      304: { description: "The content is still the one with the ETag of the request's If-None-Match" },
    };
  }
  const headers = headsOf(route);
  const content = {
    "application/json": { schema: referred(command.output), example: exampleOf(command.output) },
  };
  const done = statusesOf(route).map(([status, description]) => [
    status,
    { description, ...(Object.keys(headers).length > 0 && { headers }), content },
  ]);
  return {
    ...Object.fromEntries(done),
    ...(route.method === "GET" && { 304: NOT_CHANGED }),
  };
}

/** Heads of the requests whose body is content. */
const CONTENT_HEADS = {
  upload: {
    name: "Content-Range",
    in: "header",
    description: "`bytes FIRST-LAST/SIZE`: keeps what arrived when it breaks off, and goes on there",
    required: false,
    schema: { type: "string", maxLength: 64, pattern: "^bytes \\d{1,16}-\\d{1,16}/\\d{1,16}$" },
  },
  download: {
    name: "Range",
    in: "header",
    description: "`bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-LENGTH`: that part alone",
    required: false,
    schema: { type: "string", maxLength: 64, pattern: "^bytes=(\\d{1,15}-\\d{0,15}|-\\d{1,15})$" },
  },
} as const;

/** `targetPool` → "target pool". */
const wordsOf = (field: string) => field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function describedField(name: string, schema: object, isPlace: boolean, namedAs?: NamedAs): string {
  const { description = `The ${wordsOf(name)}` } = schema as { description?: string };
  return isPlace && isNamed(name, namedAs) ? `${description}, or its name` : description;
}

function parametersOf(route: RestRoute) {
  const { command, method, pathFields } = route;
  const required = requiredFields(command), example = inputExample(command);
  const inQuery = IN_QUERY.has(method);
  const own = Object.entries(inputFields(command)).filter(([field]) =>
    pathFields.includes(field) ||
    (command.content === undefined ? inQuery : command.contentFields?.includes(field) ?? false)
  );
  return [
    ...own.map(([name, schema]) => ({
      name,
      in: pathFields.includes(name) ? "path" : "query",
      description: describedField(name, schema, pathFields.includes(name), command.namedAs),
      required: required.includes(name),
      schema: referred(schema),
      ...(name in example && { example: example[name] }),
    })),
    ...Object.entries(listQueryOf(route)).map(([name, schema]) => ({
      name,
      in: "query",
      description: describedField(name, schema, false),
      required: false,
      schema,
    })),
    ...(command.content !== undefined
      ? []
      : method === "GET"
      ? [REQUEST_HEADS.noneMatch]
      : conditionsOn(route) !== undefined
      ? [REQUEST_HEADS.match]
      : []),
    ...(command.content === undefined ||
        command.content === "upload" && !Object.hasOwn(inputFields(command), "offset")
      ? []
      : [CONTENT_HEADS[command.content]]),
  ];
}

/** An object with the fields in an object of their own. */
const within = (envelope: string, fields: unknown) => ({
  type: "object",
  description: `The same fields in \`${envelope}\``,
  properties: { [envelope]: fields },
  required: [envelope],
  additionalProperties: false,
});

function bodyOf({ command, method, pathFields }: RestRoute) {
  if (command.content === "upload") return { required: true, content: OCTETS };
  if (command.content !== undefined || IN_QUERY.has(method)) return undefined;
  const body = Object.entries(inputFields(command)).filter(([field]) => !pathFields.includes(field));
  if (body.length === 0) return undefined;
  const required = requiredFields(command), example = inputExample(command);
  const isIn = (field: string) => !pathFields.includes(field);
  const flat = {
    type: "object",
    properties: Object.fromEntries(body.map(([field, schema]) => [field, referred(schema)])),
    required: body.map(([field]) => field).filter((field) => required.includes(field)),
    additionalProperties: false,
  };
  const { envelope } = command;
  return {
    required: true,
    content: {
      "application/json": {
        schema: envelope === undefined ? flat : { anyOf: [flat, within(envelope, flat)] },
        example: Object.fromEntries(Object.entries(example).filter(([field]) => isIn(field))),
      },
    },
  };
}

function operation(route: RestRoute, shared: SharedResponses) {
  const { name, command } = route;
  const { permission } = needOf(name);
  const isOpen = permission === "anyone";
  const parameters = parametersOf(route), requestBody = bodyOf(route);
  const conditional = route.method !== "GET" && command.content === undefined &&
    conditionsOn(route) !== undefined;
  const errors: ErrorCode[] = [
    ...command.errors,
    ...(conditional ? CONDITIONAL : []),
    ...(Object.keys(inputFields(command)).some((field) => isNamed(field, command.namedAs))
      ? ["NameAmbiguous" as const]
      : []),
    ...ANY,
    ...(isOpen ? [] : SIGNED_IN),
    ...(requestBody ? WITH_BODY : []),
  ];
  return {
    operationId: name,
    summary: command.summary,
    description: `${command.description ?? `${command.summary}.`}\n\nNeeds: \`${permission}\`.`,
    tags: [tag(route)],
    "x-role": command.role,
    "x-permission": permission,
    ...(isOpen && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(requestBody && { requestBody }),
    responses: { ...answer(route), ...shared.of(errors) },
  };
}

/** The whole description. `version` is KVM Manager's. */
export function openApi(version: string): Record<string, unknown> {
  const shared = new SharedResponses();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of REST_ROUTES) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route, shared);
  }
  const errors = (...more: ErrorCode[]) =>
    shared.of([
      ...more,
      "InvalidInput",
      "ForeignOrigin",
      "ProxyChangesHost",
      "ForeignHost",
      "TooManyRequests",
      "Internal",
      ...SIGNED_IN,
    ]);
  Object.assign(paths, EXTRA_PATHS(errors));
  for (const [path, get] of LISTED_PATHS(errors)) paths[path] = { ...paths[path], get };
  return {
    openapi: "3.1.0",
    info: {
      title: "KVM Manager",
      version,
      description: "Every command of this host's KVM Manager. Programs sign in with an API token " +
        "(`Authorization: Bearer kvmm_…`). Errors have one shape, and a code that stays.",
      contact: { name: "Whoever runs this server" },
    },
    servers: [{
      url: "/api/v1",
      description: "The production server that gave this description",
      "x-internal": false,
    }],
    security: [{ token: [] }, { session: [] }],
    tags: Object.entries(TAGS).sort(([a], [b]) => a < b ? -1 : 1)
      .map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: {
        Error: {
          type: "object",
          description: "What went wrong: a code for programs, words for people",
          required: ["code", "message"],
          properties: {
            code: { type: "string", enum: Object.keys(ERRORS) },
            message: { type: "string" },
            details: {
              type: "object",
              additionalProperties: true,
              description: "values the message was made with",
            },
          },
        },
        ...namedSchemas([paths, shared.all]),
      },
      responses: shared.all,
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "An API token: Settings → API tokens" },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "__Host-kvmm",
          description:
            "The session of a browser; at another port than 443 the cookie is `__Host-kvmm-PORT`, on plain HTTP at loopback " +
            "`kvmm-PORT`",
        },
      },
    },
  };
}
