/** The SSH host key of a host: whether it is known, and one that a person has compared is kept. */
import { ContractError } from "../../../lib/contract/errors.ts";
import { knownHostName, type SshDestination, sshWords } from "../../../lib/host/ssh_destination.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { runProgram } from "../../machine/programs.ts";
import type { SshFiles } from "./files.ts";

/** Milliseconds for a question to the host, and to files. */
const SCAN_MS = 15_000, FILE_MS = 5000;

/** Where ssh would connect to, by its configuration. */
async function resolved(files: SshFiles, destination: SshDestination): Promise<Required<SshDestination>> {
  const args = ["-G", "-F", files.config, ...sshWords(destination)];
  const { stdout } = await runProgram("ssh", args, { limitMs: FILE_MS });
  const found = new Map(
    stdout.split("\n").map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]),
  );
  return {
    host: found.get("hostname") ?? destination.host,
    port: Number(found.get("port") ?? destination.port ?? 22),
    user: found.get("user") ?? destination.user,
  };
}

/** Whether a file with host keys has one of this host. */
async function isKnownIn(file: string, name: string): Promise<boolean> {
  const { success } = await runProgram("ssh-keygen", ["-F", name, "-f", file], { limitMs: FILE_MS });
  return success;
}

/** The lines of known_hosts with the keys that a host shows, and the fingerprint of the one to compare. */
interface ShownKeys {
  readonly lines: string;
  readonly fingerprint: string;
}

/** Asks a host for its keys. @throws {ContractError} HostUnreachable */
async function shownKeys({ host, port }: Required<SshDestination>): Promise<ShownKeys> {
  const args = ["-T", "10", "-t", "ed25519,ecdsa,rsa", "-p", String(port), "--", host];
  const { stdout, stderr } = await runProgram("ssh-keyscan", args, { limitMs: SCAN_MS });
  const all = stdout.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const line = ["ssh-ed25519", "ecdsa-", "ssh-rsa"]
    .map((type) => all.find((each) => each.split(" ")[1]?.startsWith(type))).find((each) =>
      each !== undefined
    );
  const shown = line === undefined
    ? undefined
    : await runProgram("ssh-keygen", ["-l", "-f", "-"], { limitMs: FILE_MS, input: `${line}\n` });
  const fingerprint = /SHA256:\S+/.exec(shown?.stdout ?? "")?.[0];
  if (line === undefined || fingerprint === undefined) {
    const said = stderr.split("\n").filter((each) => each !== "" && !each.startsWith("#")).at(-1);
    throw new ContractError("HostUnreachable", {
      reason: oneLine(said ?? `no SSH server answers at ${host}, port ${port}`, 200),
    });
  }
  return { lines: `${line}\n`, fingerprint };
}

/**
 * Makes sure that a host's key is known, and keeps the one that a person has compared.
 *
 * @param hostKey its fingerprint, `SHA256:…`; undefined where it was not compared yet
 * @returns where ssh connects to
 * @throws {ContractError} HostKeyUnknown with its fingerprint, HostKeyChanged, HostUnreachable
 */
export async function requireHostKey(
  files: SshFiles,
  destination: SshDestination,
  hostKey: string | undefined,
): Promise<Required<SshDestination>> {
  await files.ready();
  const at = await resolved(files, destination), name = knownHostName(at);
  const home = Deno.env.get("HOME") ?? "/root";
  for (const file of [files.knownHosts, `${home}/.ssh/known_hosts`, "/etc/ssh/ssh_known_hosts"]) {
    if (await isKnownIn(file, name)) return at;
  }
  const { lines, fingerprint } = await shownKeys(at);
  if (hostKey === undefined) throw new ContractError("HostKeyUnknown", { host: name, key: fingerprint });
  if (hostKey !== fingerprint) {
    throw new ContractError("HostKeyChanged", { host: name, key: fingerprint, before: hostKey });
  }
  await files.pin(lines);
  return at;
}
