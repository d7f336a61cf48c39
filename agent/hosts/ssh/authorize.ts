/** Puts KVM Manager's public key among those that open a host, with a password that is used for that alone. */
import { ContractError } from "../../../lib/contract/errors.ts";
import { type SshDestination, sshWords } from "../../../lib/host/ssh_destination.ts";
import { runProgram } from "../../machine/programs.ts";
import type { SshFiles } from "./files.ts";
import { lastSaid } from "./said.ts";

/** Milliseconds to sign in and write a line. */
const LIMIT_MS = 30_000;
/** Adds the line that it reads to authorized_keys, once; a last line without an end gets one first. */
const ADD_LINE =
  'umask 077; f="$HOME/.ssh/authorized_keys"; mkdir -p "$HOME/.ssh" && touch "$f" && read -r line && ' +
  '{ grep -qxF "$line" "$f" || { [ -z "$(tail -c1 "$f")" ] || echo >> "$f"; echo "$line" >> "$f"; }; }';
/** The user's own shell there may be any. */
const COMMAND = `exec sh -c '${ADD_LINE}'`;
/** One password, no key, and a connection that is not kept: what is signed in by a key proves nothing of the password. */
const BY_PASSWORD = {
  BatchMode: "no",
  PubkeyAuthentication: "no",
  PreferredAuthentications: "password,keyboard-interactive",
  NumberOfPasswordPrompts: "1",
  ControlPath: "none",
};

/**
 * Adds the key. The host's own key must be known.
 *
 * @throws {ContractError} HostUnreachable with what ssh said
 */
export async function authorizeKey(
  files: SshFiles,
  destination: SshDestination,
  password: string,
): Promise<void> {
  const key = await files.publicKey();
  const options = Object.entries(BY_PASSWORD).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const { success, stderr } = await runProgram(
    "ssh",
    ["-T", "-F", files.config, ...options, ...sshWords(destination), COMMAND],
    {
      limitMs: LIMIT_MS,
      input: `${key}\n`,
      env: { SSH_ASKPASS: files.askPassword, SSH_ASKPASS_REQUIRE: "force", KVMM_SSH_PASSWORD: password },
    },
  );
  if (success) return;
  const isRefused = /permission denied/i.test(stderr);
  throw new ContractError("HostUnreachable", {
    reason: isRefused ? "SSH refuses the user or the password" : lastSaid(stderr, "ssh failed"),
  });
}
