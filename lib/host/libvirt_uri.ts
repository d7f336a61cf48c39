/**
 * Checks the libvirt connections that a host may be added by. A connection URI can name programs to run, switch off the
 * check of a host's key, or send passwords in the clear: parts that are not known to be harmless are refused. Pure.
 */
import { message, type Sentence } from "../i18n/message.ts";

/** Ways to a libvirt → the fields of the query that it may have. */
const WAYS: Readonly<Record<string, readonly string[]>> = {
  "qemu": [],
  "qemu+unix": ["socket"],
  "qemu+ssh": ["socket", "keyfile", "no_tty"],
  "qemu+tls": ["pkipath"],
  "test": [],
};
/** Ways to another machine. */
const FAR: ReadonlySet<string> = new Set(["qemu+ssh", "qemu+tls"]);
/** A name or address that no program takes for an option. */
const HOST = /^(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])$/;
const USER = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
// deno-lint-ignore no-control-regex -- what a path may not have
const FILE = /^\/[^\0-\x1f\x7f]*$/;

const one = (names: readonly string[]) => names.length === 0 ? "no fields" : names.join(", ");

/** The connection as libvirt gets it, or why it is refused. */
export type CheckedUri = { readonly uri: string } | { readonly reason: Sentence };

/** A query as libvirt reads it, which takes "+" for itself: spaces are %20. */
const queryText = (fields: URLSearchParams): string =>
  [...fields].map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%2F", "/")}`).join("&");

/** Judges a connection URI. */
export function checkLibvirtUri(text: string): CheckedUri {
  const [, way = "", user, host = "", port, path = "", query = ""] =
    /^([a-z+]+):\/\/(?:([^@/?#]*)@)?(\[[^\]]*\]|[^:/?#]*)(?::([^/?#]*))?(\/[^?#]*)?(?:\?([^#]*))?$/.exec(
      text,
    ) ?? [];
  const fields = WAYS[way];
  if (fields === undefined) {
    return {
      reason: message`it must begin with one of ${Object.keys(WAYS).map((each) => `${each}://`).join(", ")}`,
    };
  }
  if (FAR.has(way) !== (host !== "")) {
    return {
      reason: FAR.has(way) ? "it names no host" : message`${way} is of this machine, and names no host`,
    };
  }
  if (host !== "" && !HOST.test(host)) return { reason: message`${host} is no name or address of a host` };
  if (user !== undefined && (way !== "qemu+ssh" || !USER.test(user))) {
    return { reason: "it names a user where none can be" };
  }
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) {
    return { reason: message`${port} is no port` };
  }
  if (way === "test" ? path !== "/default" : !["/system", "/session"].includes(path)) {
    return { reason: message`its path must be ${way === "test" ? "/default" : "/system or /session"}` };
  }
  const given = new URLSearchParams(query);
  for (const [name, value] of given) {
    if (!fields.includes(name)) {
      return { reason: message`its query may have ${one(fields)}, and not ${name}` };
    }
    if (name === "no_tty" ? value !== "1" : !FILE.test(value)) {
      return { reason: message`${name} must be ${name === "no_tty" ? "1" : "a path"}` };
    }
    if (given.getAll(name).length > 1) return { reason: message`it has ${name} twice` };
  }
  // ssh would wait at a terminal for a password that no one can type
  if (way === "qemu+ssh") given.set("no_tty", "1");
  const at = `${user === undefined ? "" : `${user}@`}${host}${port === undefined ? "" : `:${port}`}`;
  return {
    uri: `${way}://${at}${path}${given.size === 0 ? "" : `?${queryText(given)}`}`,
  };
}
