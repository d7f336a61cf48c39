/** The SSH host key of a host: whether it is known, and one that a person has compared is kept. */
import { requireOutside } from "../../outbound/outside.ts";
import { ContractError } from "../../../lib/contract/errors.ts";
import { knownHostName, type SshDestination, sshWords } from "../../../lib/host/ssh_destination.ts";
import { runProgram } from "../../machine/programs.ts";
import { sshFingerprint } from "../../outbound/ssh_fingerprint.ts";
import type { SshFiles } from "./files.ts";
import { lastSaid } from "./said.ts";

/** Milliseconds for a question to the host, and to files. */
const SCAN_MS = 15_000, FILE_MS = 5000;

/** Host and port that ssh would connect to, and the name by which it looks for the host key. */
export interface ResolvedDestination {
  readonly host: string;
  readonly port: number;
  readonly name: string;
}

/** Asks ssh, which knows its configuration. */
export async function resolvedDestination(
  files: SshFiles,
  destination: SshDestination,
): Promise<ResolvedDestination> {
  const args = ["-G", "-F", files.config, ...sshWords(destination)];
  requireOutside();
  const { stdout } = await runProgram("ssh", args, { limitMs: FILE_MS });
  const found = new Map(
    stdout.split("\n").map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]),
  );
  const host = found.get("hostname") ?? destination.host;
  const port = Number(found.get("port") ?? destination.port ?? 22);
  return { host, port, name: found.get("hostkeyalias") ?? knownHostName({ host, port }) };
}

/** The line with a host's key in a file of host keys; undefined where there is none. */
async function knownIn(file: string, name: string): Promise<string | undefined> {
  const { stdout } = await runProgram("ssh-keygen", ["-F", name, "-f", file], { limitMs: FILE_MS });
  return stdout.split("\n").find((line) => line !== "" && !line.startsWith("#"));
}

/** The key that a host shows: its line of known_hosts, and its fingerprint. */
interface ShownKey {
  readonly line: string;
  readonly fingerprint: string;
}

/** The fingerprint of the key in a line of known_hosts: `name type key`. */
const fingerprintOf = (line: string): string =>
  sshFingerprint(Uint8Array.fromBase64(line.split(" ")[2] ?? ""));

/** Asks a host for its key, of the newest kind that it has. @throws {ContractError} HostUnreachable */
async function shownKey({ host, port, name }: ResolvedDestination): Promise<ShownKey> {
  const args = ["-T", "10", "-t", "ed25519,ecdsa,rsa", "-p", String(port), "--", host];
  requireOutside();
  const { stdout, stderr } = await runProgram("ssh-keyscan", args, { limitMs: SCAN_MS });
  const all = stdout.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const line = ["ssh-ed25519", "ecdsa-", "ssh-rsa"]
    .map((type) => all.find((each) => each.split(" ")[1]?.startsWith(type))).find((each) =>
      each !== undefined
    );
  if (line === undefined) {
    const reason = lastSaid(stderr, `no SSH server answers at ${host}, port ${port}`);
    throw new ContractError("HostUnreachable", { reason });
  }
  // By the name that ssh looks for, which may be an alias
  return { line: [name, ...line.split(" ").slice(1)].join(" "), fingerprint: fingerprintOf(line) };
}

/**
 * Makes sure that a host's key is known, and keeps the one that a person has compared.
 *
 * @param hostKey its fingerprint, `SHA256:…`; undefined where it was not compared yet
 * @throws {ContractError} HostKeyUnknown or HostKeyChanged with the fingerprint that it shows, HostUnreachable
 */
export async function requireHostKey(
  files: SshFiles,
  destination: SshDestination,
  hostKey: string | undefined,
): Promise<void> {
  await files.ready();
  const at = await resolvedDestination(files, destination), { name } = at;
  const pinned = await knownIn(files.knownHosts, name);
  if (hostKey === undefined && pinned === undefined) {
    const home = Deno.env.get("HOME") ?? "/root";
    for (const file of [`${home}/.ssh/known_hosts`, "/etc/ssh/ssh_known_hosts"]) {
      if (await knownIn(file, name) !== undefined) return;
    }
  }
  let shown: ShownKey;
  try {
    shown = await shownKey(at);
  } catch (error) {
    // One that is known may be off: ssh compares its key when it is back
    if (pinned !== undefined && hostKey === undefined && error instanceof ContractError) return;
    throw error;
  }
  const { fingerprint, line } = shown, before = pinned && fingerprintOf(pinned);
  if (hostKey === undefined && before === fingerprint) return;
  if (hostKey === undefined && before === undefined) {
    throw new ContractError("HostKeyUnknown", { host: name, key: fingerprint });
  }
  if (hostKey !== fingerprint) {
    throw new ContractError("HostKeyChanged", { host: name, key: fingerprint, before: hostKey ?? before! });
  }
  await files.pin(name, line);
}

/** Forgets the key that was compared of a host. */
export async function forgetHostKey(files: SshFiles, destination: SshDestination): Promise<void> {
  await files.ready();
  await files.unpin((await resolvedDestination(files, destination)).name);
}
