/**
 * Calls on the guest agent of a running domain. Whatever comes back is the guest's word: here it is only bounded in size
 * and time; who asks checks its shape.
 */
import type { Connection } from "../connection.ts";
import { LibvirtError, VIR_ERR } from "../error.ts";
import { FREEZE_CALL_SECONDS, withAgentLimit } from "./freeze.ts";
import { libvirt, ok, qemuLibrary, takeString } from "../library.ts";
import { cPassword, cString, readString } from "../memory.ts";
import { type Params, readParams } from "../typed_params.ts";

/** Seconds for everything else. */
const ANSWER_SECONDS = 5;
/** `VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND` and `…_REMOVE` */
const KEYS_CHANGE = { add: 1, remove: 2 } as const;
/** Keys that are read of one account. */
const MOST_KEYS = 1000;

interface Of {
  readonly uuid: string;
}

/** Runs a call on a domain whose agent has so many seconds for each of its answers. */
function withAgent<T>(
  connection: Connection,
  uuid: string,
  seconds: number,
  run: (domain: Deno.PointerObject) => T,
): T {
  using domain = connection.domain(uuid);
  return withAgentLimit(domain, () => run(domain.pointer), seconds);
}

/**
 * Asks the guest agent by its own protocol. Source: virDomainQemuAgentCommand; libvirt refuses answers beyond 4 MiB.
 *
 * @param command what is sent: JSON with `execute` and `arguments`
 * @param seconds how long the agent may take
 * @param most characters of the answer
 * @returns the answer's `return`, whatever that is
 */
export function agentCommand(
  connection: Connection,
  { uuid, command, seconds, most }: Of & { command: string; seconds: number; most: number },
): unknown {
  using domain = connection.domain(uuid);
  const text = takeString(
    qemuLibrary().virDomainQemuAgentCommand(domain.pointer, cString(command), seconds, 0),
  );
  if (text.length > most) {
    throw new LibvirtError({
      code: VIR_ERR.OPERATION_FAILED,
      message: `the guest agent's answer has ${text.length} characters, more than the ${most} that are taken`,
    });
  }
  return (JSON.parse(text) as { return?: unknown }).return;
}

/**
 * Parameters that the guest agent reports about the guest, by libvirt's names (`os.name`, `fs.0.name`, …). Source:
 * virDomainGetGuestInfo.
 */
export function guestInfo(connection: Connection, { uuid }: Of): Params {
  const { symbols } = libvirt();
  const array = new BigUint64Array(1), count = new Int32Array(1);
  // No kind is named: libvirt leaves out what an agent does not know instead of failing.
  withAgent(
    connection,
    uuid,
    ANSWER_SECONDS,
    (domain) => ok(symbols.virDomainGetGuestInfo(domain, 0, array, count, 0)),
  );
  const params = Deno.UnsafePointer.create(array[0]!);
  try {
    return readParams(params, count[0]!);
  } finally {
    if (params !== null) symbols.virTypedParamsFree(params, count[0]!);
  }
}

/** An array of pointers to texts, as C has it. The texts must be kept as long as it is used. */
function textArray(texts: readonly Uint8Array<ArrayBuffer>[]): BigUint64Array<ArrayBuffer> {
  return BigUint64Array.from(texts, (text) => Deno.UnsafePointer.value(Deno.UnsafePointer.of(text)));
}

/** Freezes a guest's file systems; all of them where none is named. Source: virDomainFSFreeze. @returns how many */
export function domainFreeze(
  connection: Connection,
  { uuid, mountpoints }: Of & { mountpoints: readonly string[] },
): number {
  const texts = mountpoints.map(cString);
  return withAgent(connection, uuid, FREEZE_CALL_SECONDS, (domain) =>
    ok(
      libvirt().symbols.virDomainFSFreeze(
        domain,
        texts.length === 0 ? null : textArray(texts),
        texts.length,
        0,
      ),
    ));
}

/** Thaws a guest's file systems; nothing happens to one that is not frozen. Source: virDomainFSThaw. @returns how many */
export function domainThaw(connection: Connection, { uuid }: Of): number {
  return withAgent(
    connection,
    uuid,
    FREEZE_CALL_SECONDS,
    (domain) => ok(libvirt().symbols.virDomainFSThaw(domain, null, 0, 0)),
  );
}

/** Sets the guest's clock. Source: virDomainSetTime. @param ms milliseconds since 1970 */
export function guestSetTime(connection: Connection, { uuid, ms }: Of & { ms: number }): null {
  const seconds = Math.floor(ms / 1000), nanoseconds = Math.round(ms - seconds * 1000) * 1_000_000;
  withAgent(
    connection,
    uuid,
    ANSWER_SECONDS,
    (domain) => ok(libvirt().symbols.virDomainSetTime(domain, BigInt(seconds), nanoseconds, 0)),
  );
  return null;
}

/** Sets the password of an account in the guest. Source: virDomainSetUserPassword. */
export function guestSetPassword(
  connection: Connection,
  { uuid, user, password }: Of & { user: string; password: string },
): null {
  withAgent(
    connection,
    uuid,
    ANSWER_SECONDS,
    (domain) => ok(libvirt().symbols.virDomainSetUserPassword(domain, cString(user), cPassword(password), 0)),
  );
  return null;
}

/** The SSH keys that let in to an account of the guest. Source: virDomainAuthorizedSSHKeysGet. */
export function guestSshKeys(connection: Connection, { uuid, user }: Of & { user: string }): string[] {
  const { symbols, free } = libvirt();
  const out = new BigUint64Array(1);
  const count = withAgent(
    connection,
    uuid,
    ANSWER_SECONDS,
    (domain) => ok(symbols.virDomainAuthorizedSSHKeysGet(domain, cString(user), out, 0)),
  );
  const array = Deno.UnsafePointer.create(out[0]!);
  if (array === null) return [];
  const view = new Deno.UnsafePointerView(array);
  const keys: string[] = [];
  for (let index = 0; index < count; index++) {
    const key = view.getPointer(index * 8);
    if (index < MOST_KEYS) keys.push(readString(key));
    free(key);
  }
  free(array);
  return keys;
}

/** Adds or removes SSH keys of an account in the guest. Source: virDomainAuthorizedSSHKeysSet. */
export function guestChangeSshKeys(
  connection: Connection,
  { uuid, user, keys, change }: Of & {
    user: string;
    keys: readonly string[];
    change: keyof typeof KEYS_CHANGE;
  },
): null {
  const texts = keys.map(cString);
  withAgent(connection, uuid, ANSWER_SECONDS, (domain) =>
    ok(
      libvirt().symbols.virDomainAuthorizedSSHKeysSet(
        domain,
        cString(user),
        textArray(texts),
        texts.length,
        KEYS_CHANGE[change],
      ),
    ));
  return null;
}
