/**
 * Paths of the API in addition to one route for each command: any command by its name, events, pictures, consoles.
 * Pure.
 */
import { CONSOLE_CLOSE } from "../contract/console_close.ts";
import type { ErrorCode } from "../contract/errors.ts";
import { EVENTS } from "../contract/events.ts";
import { COMMANDS } from "../contract/mod.ts";
import { eventName } from "./schemas.ts";

/** Id of an event, as it is sent and given back. */
const EVENT_ID = { type: "string", maxLength: 128, pattern: "^[\\w.:-]{0,128}$" } as const;

const VM_ID = {
  name: "vmId",
  in: "path",
  description: "UUID of the VM",
  required: true,
  schema: { type: "string", minLength: 1, maxLength: 128 },
} as const;

const CALL = (errors: Errors) => ({
  operationId: "call_command",
  summary: "Call any command by its name, its input as JSON",
  description:
    "What the command's own route does, with all of its input in the body. It may give any of its errors.",
  tags: ["commands"],
  parameters: [{
    name: "name",
    in: "path",
    description: "The command",
    required: true,
    schema: { type: "string", enum: Object.keys(COMMANDS) },
  }],
  requestBody: {
    required: true,
    content: { "application/json": { schema: { type: "object" }, example: {} } },
  },
  responses: {
    200: { description: "What the command gives", content: { "application/json": { schema: {} } } },
    ...errors("UnknownCommand", "InvalidJson", "UnsupportedMediaType", "BodyTooLarge", "BodyTimeout"),
    default: {
      description: "An error of the command",
      content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
    },
  },
});

const FOLLOW = (errors: Errors) => ({
  operationId: "events",
  summary: "Follow what happens, as server-sent events",
  description: "Each event has a name (`event:`), data as JSON, and, where it is kept, an id. " +
    "Those can be resumed: send the last id seen as `Last-Event-ID` or `?since=`. " +
    "What was missed follows; where it is no longer kept, a `reload` event says to read everything again. " +
    "Nothing is sent of what one may not see.\n\n" +
    Object.entries(EVENTS).map(([name, { kept }]) =>
      `- \`${name}\`: data as \`#/components/schemas/${eventName(name)}\`${kept ? "" : ", without id"}`
    ).join("\n"),
  tags: ["events"],
  parameters: [
    {
      name: "since",
      in: "query",
      description: "Id of the last event seen",
      required: false,
      schema: EVENT_ID,
    },
    {
      name: "Last-Event-ID",
      in: "header",
      description: "The same, as browsers send it",
      required: false,
      schema: EVENT_ID,
    },
  ],
  "x-events": Object.fromEntries(
    Object.keys(EVENTS).map((name) => [name, { $ref: `#/components/schemas/${eventName(name)}` }]),
  ),
  responses: {
    200: {
      description: "The stream, without end",
      content: {
        "text/event-stream": {
          schema: {
            type: "string",
            description: "Events, each with one of these as its `data`",
            contentMediaType: "application/json",
            contentSchema: {
              anyOf: Object.keys(EVENTS).map((name) => ({ $ref: `#/components/schemas/${eventName(name)}` })),
            },
          },
          example: 'id: 7-42\nevent: vm-state-changed\ndata: {"vmId":"6f1d…","state":"running"}\n\n',
        },
      },
    },
    ...errors(),
  },
});

const PICTURE = (errors: Errors) => ({
  operationId: "screenshot_vm_png",
  summary: "The picture of a VM's screen, as PNG",
  description: "What `screenshot_vm` gives, as the picture itself. 204 where there is none just now.",
  tags: ["vms"],
  "x-permission": "vms.operate",
  parameters: [VM_ID, {
    name: "thumbnail",
    in: "query",
    description: "A small one",
    required: false,
    schema: { type: "boolean" },
  }],
  responses: {
    200: {
      description: "The picture",
      content: { "image/png": { schema: { type: "string", format: "binary" } } },
    },
    204: { description: "There is no picture just now: the VM is off, or has no screen" },
    ...errors("VmNotFound"),
  },
});

const pathField = (name: string, description: string) => ({
  name,
  in: "path",
  description,
  required: true,
  schema: { type: "string", minLength: 1, maxLength: 64, pattern: "^[0-9A-Za-z-]+$" },
});

const BOOT_SCREEN = (errors: Errors) => ({
  operationId: "get_backup_screen_png",
  summary: "The last picture of a VM's screen in a boot test, as PNG",
  description: "What `get_backup_screen` gives, as the picture itself.",
  tags: ["backups"],
  "x-permission": "backups.operate",
  parameters: [pathField("backupId", "id of the backup"), pathField("runId", "id of the run"), VM_ID],
  responses: {
    200: {
      description: "The picture",
      content: { "image/png": { schema: { type: "string", format: "binary" } } },
    },
    ...errors("BackupNotFound", "BackupRunNotFound", "BackupFolderUnusable", "NoBootScreen"),
  },
});

const CONSOLE = (errors: Errors) => ({
  servers: [{
    url: "/",
    description: "The production server that gave this description",
    "x-internal": false,
  }],
  get: {
    operationId: "console_stream",
    summary: "A VM's screen (RFB) or serial line, as a WebSocket",
    description:
      "Ask `open_console` for a ticket first: it is good once, for a short while, and for who asked. " +
      "Messages are binary: RFB as QEMU speaks it (vnc), or the line's bytes (serial). " +
      `Close codes in addition to RFC 6455's: ${
        Object.entries(CONSOLE_CLOSE).map(([name, code]) => `${code} ${name}`).join(", ")
      }.`,
    tags: ["consoles"],
    "x-permission": "vms.operate",
    parameters: [
      {
        name: "kind",
        in: "path",
        description: "The screen or the serial line",
        required: true,
        schema: { type: "string", enum: ["vnc", "serial"] },
      },
      VM_ID,
      {
        name: "ticket",
        in: "query",
        description: "From open_console",
        required: true,
        schema: { type: "string", maxLength: 128, pattern: "^[\\w-]+$" },
      },
    ],
    responses: {
      101: { description: "The WebSocket is open" },
      ...errors("ConsoleTicket", "VmNotFound"),
    },
  },
});

type Errors = (...codes: ErrorCode[]) => Record<string, unknown>;

/** These paths. @param errors the answers of these errors, and of those that any request may give */
export const EXTRA_PATHS = (errors: Errors): Record<string, Record<string, unknown>> => ({
  "/commands/{name}": { post: CALL(errors) },
  "/events": { get: FOLLOW(errors) },
  "/vms/{vmId}/screenshot.png": { get: PICTURE(errors) },
  "/backups/{backupId}/runs/{runId}/vms/{vmId}/screen.png": { get: BOOT_SCREEN(errors) },
  "/consoles/{kind}/{vmId}": CONSOLE(errors),
});
