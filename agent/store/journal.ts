/**
 * The audit log's second place: journald, in its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL). What is told
 * there cannot be taken back by who gets hold of our database. Where journald does not answer, nothing waits for it.
 */
import { DatagramSocket } from "../../ffi/datagram.ts";
import { joined } from "../../lib/bytes.ts";
import type { Activity } from "../../lib/contract/mod.ts";
import { renderPlain, type Unrendered } from "../../lib/i18n/message.ts";
import { log } from "../log.ts";
import type { ActivityEntry } from "./activity.ts";

/** syslog(3): levels that journald knows by number. */
const PRIORITY = { ok: "6", event: "6", error: "4" } as const;

const encoder = new TextEncoder();

/** One field. A value is framed by its length, so whatever is in it makes no other field. */
function field(name: string, value: string): Uint8Array[] {
  const bytes = encoder.encode(value);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(bytes.length), true);
  return [encoder.encode(`${name}\n`), length, bytes, encoder.encode("\n")];
}

/** An entry as a message of journald. */
export function journalMessage(
  activity: Unrendered<Activity>,
  entry: ActivityEntry,
): Uint8Array<ArrayBuffer> {
  const { actor, action, result, vmId, vmName } = activity;
  const message = activity.message === undefined ? undefined : String(renderPlain(activity.message));
  const about = vmName === undefined ? "" : ` on ${vmName}`;
  const why = message === undefined ? "" : `: ${message}`;
  const fields: [string, string | undefined][] = [
    ["MESSAGE", `${actor} ${action}${about} ${result}${why}`],
    ["PRIORITY", PRIORITY[result]],
    ["SYSLOG_IDENTIFIER", "kvm-manager"],
    ["KVMM_AUDIT_ID", String(activity.id)],
    ["KVMM_ACTOR", actor],
    ["KVMM_DOOR", entry.door],
    ["KVMM_ADDRESS", entry.address],
    ["KVMM_CLIENT", entry.client],
    ["KVMM_ACTION", action],
    ["KVMM_RESULT", result],
    ["KVMM_VM_ID", vmId],
    ["KVMM_VM_NAME", vmName],
    ["KVMM_ERROR", message],
    ["KVMM_INPUT", entry.input === undefined ? undefined : JSON.stringify(entry.input)],
    ["KVMM_TOOK_MS", entry.tookMs === undefined ? undefined : String(entry.tookMs)],
  ];
  return joined(fields.flatMap(([name, value]) => value === undefined ? [] : field(name, value)));
}

export class Journal implements Disposable {
  readonly #socket: DatagramSocket | undefined;
  /** Entries that were not taken since the last one that was. */
  #missed = 0;

  /** @param path journald's socket; `off` for none */
  constructor(path: string) {
    if (path === "off") return;
    try {
      Deno.statSync(path);
      this.#socket = new DatagramSocket(path);
    } catch (error) {
      log.debug("the audit log goes to no journal", { socket: path, error });
    }
  }

  /** Sends an entry. Never throws, never waits. */
  tell(activity: Unrendered<Activity>, entry: ActivityEntry): void {
    if (this.#socket === undefined) return;
    if (this.#socket.send(journalMessage(activity, entry))) {
      if (this.#missed > 0) log.warn("the journal answers again", { missed: this.#missed });
      this.#missed = 0;
    } else if (this.#missed++ === 0) log.warn("the journal does not take the audit log's entries");
  }

  [Symbol.dispose](): void {
    this.#socket?.[Symbol.dispose]();
  }
}
