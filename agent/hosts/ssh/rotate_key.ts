/** Another key of KVM Manager for the hosts that are reached by SSH: each lets it in before the key before it is given up. */
import { ContractError, type HostFault } from "../../../lib/contract/mod.ts";
import { type SshDestination, sshDestination } from "../../../lib/host/ssh_destination.ts";
import { forEachConcurrent } from "../../../lib/for_each_concurrent.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { log } from "../../log.ts";
import type { StoredHost } from "../records.ts";
import { addLine, removeLine } from "./authorize.ts";
import type { SshFiles } from "./files.ts";
import { RemoteShell } from "./remote_shell.ts";

/** Hosts that are signed in to at the same time. */
const AT_ONCE = 8;
/** Fails where a key is in authorized_keys still, in another line than the one that KVM Manager adds. */
const REQUIRE_GONE = 'read -r key && grep -qF "$key" "$HOME/.ssh/authorized_keys" || exit 0; ' +
  'echo "the key before still opens it: its line in authorized_keys has options or another comment" >&2; exit 1';
/** Characters of what a host said. */
const LONGEST_REASON = 160;

interface SshHost {
  readonly label: string;
  readonly destination: SshDestination;
}

/** The hosts that KVM Manager's own key opens. */
export const sshHostsOf = (hosts: readonly StoredHost[]): SshHost[] =>
  hosts.flatMap(({ uri, label }) => {
    const destination = sshDestination(uri);
    return destination === undefined || destination.keyfile !== undefined ? [] : [{ label, destination }];
  });

/** Does something in a shell on a host. */
async function inShell(
  files: SshFiles,
  { destination }: SshHost,
  work: (shell: RemoteShell) => Promise<unknown>,
): Promise<void> {
  const shell = await RemoteShell.of(files, destination);
  // The bundler forgets a `using` of a variable that is read once
  try {
    await work(shell);
  } finally {
    await shell[Symbol.asyncDispose]();
  }
}

/** Does something on each host. @returns why it failed, of those where it did */
async function onEach(
  hosts: readonly SshHost[],
  work: (host: SshHost) => Promise<void>,
): Promise<Map<SshHost, string>> {
  const faults = new Map<SshHost, string>();
  await forEachConcurrent(AT_ONCE, hosts, async (host) => {
    try {
      await work(host);
    } catch (error) {
      log.info("an SSH key was not changed on a host", { host: host.label, error });
      faults.set(host, oneLine(messageOf(error), LONGEST_REASON));
    }
  });
  return faults;
}

const faultsOf = (...all: readonly ReadonlyMap<SshHost, string>[]): HostFault[] =>
  all.flatMap((faults) => [...faults]).map(([{ label: host }, reason]) => ({ host, reason }));

/**
 * Makes another key, has each host let it in, and gives the key before it up there.
 *
 * @param force go on where hosts do not let it in: they have to be given the key by hand
 * @returns hosts that the key before still opens, or that the new one does not open
 * @throws {ContractError} SshKeyNotRotated, after which the key is the same as before; {Error} of {@link SshFiles.ready}
 */
export async function rotateSshKey(
  files: SshFiles,
  stored: readonly StoredHost[],
  force: boolean,
): Promise<HostFault[]> {
  const hosts = sshHostsOf(stored), before = await files.publicKey();
  const next = await files.successor(), line = await next.publicKey();
  const closed = await onEach(hosts, async (host) => {
    await inShell(files, host, (shell) => addLine(shell, line));
    await inShell(next, host, (shell) => shell.run(":", { asUser: true }));
  });
  if (closed.size > 0 && !force) {
    // Also where it failed: the connection may have been cut once the line was there
    await onEach(hosts, (host) => inShell(files, host, (shell) => removeLine(shell, line)));
    await files.dropSuccessor();
    const reasons = faultsOf(closed).map(({ host, reason }) => `${host} (${reason})`);
    throw new ContractError("SshKeyNotRotated", { hosts: reasons.join(", ") });
  }
  await files.adopt(next);
  const opened = hosts.filter((host) => !closed.has(host));
  const kept = await onEach(opened, (host) =>
    inShell(files, host, async (shell) => {
      await removeLine(shell, before);
      await shell.run(REQUIRE_GONE, { asUser: true, input: `${before.split(" ")[1]}\n` });
    }));
  return faultsOf(closed, kept);
}
