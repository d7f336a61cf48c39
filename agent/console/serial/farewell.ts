/** Why a serial console is closed, in words for people (at most 123 bytes: RFC 6455, 5.5). */
import { CONSOLE_CLOSE } from "../../../lib/contract/mod.ts";
import type { Farewell } from "../../http/websocket_connection.ts";

export const FAREWELL = {
  done: { code: CONSOLE_CLOSE.done, reason: "" },
  inUse: {
    code: CONSOLE_CLOSE.inUse,
    reason: "Another session holds the serial console. Take it over, or close the other one.",
  },
  takenOver: { code: CONSOLE_CLOSE.takenOver, reason: "Another session took the serial console over." },
  disconnected: {
    code: CONSOLE_CLOSE.disconnected,
    reason: "The serial line was closed: another program may have taken it over.",
  },
  tooSlow: {
    code: CONSOLE_CLOSE.tooSlow,
    reason: "The guest writes faster than this connection takes it.",
  },
  unread: {
    code: CONSOLE_CLOSE.failed,
    reason: "The guest does not read its serial line: too much waits for it.",
  },
  protocol: { code: CONSOLE_CLOSE.protocol, reason: "Only bytes and resize messages are understood." },
} as const satisfies Record<string, Farewell>;
