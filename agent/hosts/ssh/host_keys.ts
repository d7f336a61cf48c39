/** The SSH host key of a host: whether it is known, and one that a person has compared is kept. */
import { ContractError } from "../../../lib/contract/errors.ts";
import { knownHostName, type SshDestination, sshWords } from "../../../lib/host/ssh_destination.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { runProgram } from "../../machine/programs.ts";
import type { SshFiles } from "./files.ts";

/** Milliseconds for a question to the host, and to files. */
const SCAN_MS = 15_000, FILE_MS = 5000;

/** Where ssh would connect to, and by which name it looks for the host key. */
interface ResolvedDestination {
  readonly host: string;
  readonly port: number;
  readonly name: string;
}

/** Asks ssh, which knows its configuration. */
async function resolved(files: SshFiles, destination: SshDestination): Promise<ResolvedDestination> {
  const args = ["-G", "-F", files.config, ...sshWords(destination)];
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

/** The lines of known_hosts with the keys that a host shows, and the fingerprint of the one to compare. */
interface ShownKeys {
  readonly lines: string;
  readonly fingerprint: string;
}

/** The fingerprint of a line of known_hosts; undefined where it is none. */
async function fingerprintOf(line: string): Promise<string | undefined> {
  const { stdout } = await runProgram("ssh-keygen", ["-l", "-f", "-"], {
    limitMs: FILE_MS,
    input: `${line}\n`,
  });
  return /SHA256:\S+/.exec(stdout)?.[0];
}

/** Asks a host for its keys. @throws {ContractError} HostUnreachable */
async function shownKeys({ host, port, name }: ResolvedDestination): Promise<ShownKeys> {
  const args = ["-T", "10", "-t", "ed25519,ecdsa,rsa", "-p", String(port), "--", host];
  const { stdout, stderr } = await runProgram("ssh-keyscan", args, { limitMs: SCAN_MS });
  const all = stdout.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const line = ["ssh-ed25519", "ecdsa-", "ssh-rsa"]
    .map((type) => all.find((each) => each.split(" ")[1]?.startsWith(type))).find((each) =>
      each !== undefined
    );
  const fingerprint = line === undefined ? undefined : await fingerprintOf(line);
  if (line === undefined || fingerprint === undefined) {
    const said = stderr.split("\n").filter((each) => each !== "" && !each.startsWith("#")).at(-1);
    throw new ContractError("HostUnreachable", {
      reason: oneLine(said ?? `no SSH server answers at ${host}, port ${port}`, 200),
    });
  }
  // By the name that ssh looks for, which may be an alias
  return { lines: `${[name, ...line.split(" ").slice(1)].join(" ")}\n`, fingerprint };
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
  const at = await resolved(files, destination), { name } = at;
  const pinned = await knownIn(files.knownHosts, name);
  if (hostKey === undefined && pinned === undefined) {
    const home = Deno.env.get("HOME") ?? "/root";
    for (const file of [`${home}/.ssh/known_hosts`, "/etc/ssh/ssh_known_hosts"]) {
      if (await knownIn(file, name) !== undefined) return;
    }
  }
  let shown: ShownKeys;
  try {
    shown = await shownKeys(at);
  } catch (error) {
    // One that is known may be off: ssh compares its key when it is back
    if (pinned !== undefined && hostKey === undefined && error instanceof ContractError) return;
    throw error;
  }
  const { fingerprint, lines } = shown, before = pinned && await fingerprintOf(pinned);
  if (hostKey === undefined && before === fingerprint) return;
  if (hostKey === undefined && before === undefined) {
    throw new ContractError("HostKeyUnknown", { host: name, key: fingerprint });
  }
  if (hostKey !== fingerprint) {
    throw new ContractError("HostKeyChanged", { host: name, key: fingerprint, before: hostKey ?? before! });
  }
  await files.pin(name, lines);
}

/** Forgets the key that was compared of a host. */
export async function forgetHostKey(files: SshFiles, destination: SshDestination): Promise<void> {
  await files.ready();
  await files.unpin((await resolved(files, destination)).name);
}
