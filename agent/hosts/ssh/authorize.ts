/** Puts KVM Manager's public key among those that open a host, with a password that is used for that alone. */
import { ContractError } from "../../../lib/contract/errors.ts";
import { type SshDestination, sshWords } from "../../../lib/host/ssh_destination.ts";
import { runProgram } from "../../machine/programs.ts";
import type { SshFiles } from "./files.ts";
import { BY_PASSWORD, passwordEnv } from "./by_password.ts";
import { MOST_SAID, type RemoteShell } from "./remote_shell.ts";
import { lastSaid } from "./said.ts";

/** Milliseconds to sign in and write a line. */
const LIMIT_MS = 30_000;
/** Adds the line that it reads to authorized_keys, once; a last line without an end gets one first. */
const ADD_LINE =
  'umask 077; f="$HOME/.ssh/authorized_keys"; mkdir -p "$HOME/.ssh" && touch "$f" && read -r line && ' +
  '{ grep -qxF "$line" "$f" || { [ -z "$(tail -c1 "$f")" ] || echo >> "$f"; echo "$line" >> "$f"; }; }';
/** The user's own shell there may be any. */
const COMMAND = `exec sh -c '${ADD_LINE}'`;
/** Takes the line that it reads out of authorized_keys, whole or not at all: what else is there lets others in. */
const REMOVE_LINE =
  'f=$(readlink -f "$HOME/.ssh/authorized_keys") && read -r line && [ -f "$f" ] && grep -qxF "$line" "$f" || exit 0; ' +
  'new=$(mktemp "$f.XXXXXXXX") && cp -p "$f" "$new" && { grep -vxF "$line" "$f" > "$new" || [ $? = 1 ]; } && ' +
  'mv "$new" "$f" || { rm -f "$new"; exit 1; }';
/** One password, no key, and a connection that is not kept: what is signed in by a key proves nothing of the password. */
const APART = { ...BY_PASSWORD, ControlPath: "none" };

/** Adds a line to authorized_keys, once. @throws {RemoteFailure} {ProgramLate} */
export async function addLine(shell: RemoteShell, line: string): Promise<void> {
  await shell.run(ADD_LINE, { asUser: true, input: `${line}\n` });
}

/** Takes a line out of authorized_keys, where it is there. @throws {RemoteFailure} {ProgramLate} */
export async function removeLine(shell: RemoteShell, line: string): Promise<void> {
  await shell.run(REMOVE_LINE, { asUser: true, input: `${line}\n` });
}

/** The line by which our key opens a host until an installation there ends: it differs from one that stays. */
export const temporaryLine = async (files: SshFiles): Promise<string> =>
  `${await files.publicKey()} (until KVM Manager is installed)`;

/** Takes such a line out again. @throws {RemoteFailure} {ProgramLate} */
export async function removeTemporaryLine(files: SshFiles, shell: RemoteShell): Promise<void> {
  await removeLine(shell, await temporaryLine(files));
}

/**
 * Adds the key. The host's own key must be known.
 *
 * @param line of authorized_keys; undefined for the one that stays
 * @throws {ContractError} HostUnreachable with what ssh said
 */
export async function authorizeKey(
  files: SshFiles,
  destination: SshDestination,
  password: string,
  line?: string,
): Promise<void> {
  const key = line ?? await files.publicKey();
  const options = Object.entries(APART).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const { success, stderr } = await runProgram(
    "ssh",
    ["-T", "-F", files.config, ...options, ...sshWords(destination), COMMAND],
    {
      limitMs: LIMIT_MS,
      mostOutput: MOST_SAID,
      input: `${key}\n`,
      env: passwordEnv(files, password),
    },
  );
  if (success) return;
  const isRefused = /permission denied/i.test(stderr);
  throw new ContractError("HostUnreachable", {
    reason: isRefused ? "SSH refuses the user or the password" : lastSaid(stderr, "ssh failed"),
  });
}
