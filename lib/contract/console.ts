/** Consoles: a VM's screen and its serial line in the browser. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { closed, oneOf, SECRET, Timestamp, VmId } from "./schema.ts";

export { CONSOLE_CLOSE } from "./console_close.ts";

/** Kinds of consoles. */
export const CONSOLE_KINDS = ["vnc", "serial"] as const;
export const ConsoleKind = oneOf(CONSOLE_KINDS);
export type ConsoleKind = Static<typeof ConsoleKind>;

export const ConsoleTicket = Type.Object({
  ticket: Type.String({
    description: "good for one connection, by whoever got it, until it expires",
    ...SECRET,
  }),
  path: Type.String({ description: "open a WebSocket there, with the query ?ticket=…" }),
  expiresAt: Timestamp,
});
export type ConsoleTicket = Static<typeof ConsoleTicket>;

export const ViewerFile = Type.Object({
  fileName: Type.String(),
  contentType: Type.String(),
  content: Type.String({
    description: "connection settings for virt-viewer's remote-viewer, the password among them",
    ...SECRET,
  }),
});
export type ViewerFile = Static<typeof ViewerFile>;

export const consoleCommands = {
  open_console: command({
    summary: "Ask for a console of a running VM",
    description:
      "Gives a ticket for one WebSocket connection within 30 seconds. `vnc`: binary messages that carry RFB with the " +
      "security type None; the server has signed in to the VM's VNC server. `serial`: binary messages are bytes of the " +
      "VM's serial line; a text message {type: resize, cols, rows} is accepted, but a serial line has no size.",
    role: "operator",
    input: closed({
      vmId: VmId,
      kind: ConsoleKind,
      viewOnly: Type.Optional(
        Type.Boolean({
          default: false,
          description: "the server drops whatever keys and pointer would send",
        }),
      ),
      force: Type.Optional(
        Type.Boolean({
          default: false,
          description: "serial: ends another's session instead of being refused",
        }),
      ),
      line: Type.Optional(Type.Integer({
        minimum: 0,
        maximum: 31,
        description: "serial: which of several lines, from 0; the first that can be opened when left out",
      })),
    }),
    output: ConsoleTicket,
    errors: [
      "VmNotFound",
      "VmNotRunning",
      "VncNotConfigured",
      "ScreenElsewhere",
      "NoSerialLine",
      "NoSuchSerialLine",
      "SerialElsewhere",
      "TooManyRequests",
    ],
    route: "POST /vms/{vmId}/console",
    cli: ["vm", "console-ticket", "<vmId>", "<kind>"],
    readOnly: false,
  }),
  get_viewer_file: command({
    summary: "Give the settings that open a VM's screen in remote-viewer",
    description:
      "For VNC and SPICE. Operators and above get the password with it. The addresses are those on this host: from " +
      "elsewhere, tunnel the port.",
    role: "viewer",
    input: closed({ vmId: VmId }),
    output: ViewerFile,
    errors: ["VmNotFound", "VmNotRunning", "NoViewer", "ScreenElsewhere"],
    route: "GET /vms/{vmId}/viewer-file",
    cli: ["vm", "viewer-file", "<vmId>"],
    file: { field: "content" },
    readOnly: true,
  }),
};
