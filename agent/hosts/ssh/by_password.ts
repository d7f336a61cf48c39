/** Signing in by SSH with a password: ssh asks a program for it, which has it in its environment. */
import type { SshFiles } from "./files.ts";

/** ssh's options: one password, and no key. */
export const BY_PASSWORD = {
  BatchMode: "no",
  PubkeyAuthentication: "no",
  PreferredAuthentications: "password,keyboard-interactive",
  NumberOfPasswordPrompts: "1",
};

/** ssh's environment. */
export const passwordEnv = ({ askPassword }: Pick<SshFiles, "askPassword">, password: string) => ({
  SSH_ASKPASS: askPassword,
  SSH_ASKPASS_REQUIRE: "force",
  KVMM_SSH_PASSWORD: password,
});
