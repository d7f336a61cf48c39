/** The systemd credential that seals the file of encryption keys, made where systemd can. */
import { dirname } from "node:path";
import { message } from "../../../lib/i18n/message.ts";
import { CREDENTIAL_FILE, CREDENTIAL_NAME } from "../../../lib/system/install/credential.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { isTaken } from "../../machine/files.ts";
import { findTool, runTool } from "../../network/forwards/tools.ts";
import { newKeyBytes } from "../../sealing/key_file.ts";
import { type InstallStep, makeFolder, removeAt, type Say } from "./steps.ts";

/** The first version of systemd that looks for credentials by their names alone, and goes on without them. */
const LEAST_SYSTEMD = 252;

/** The version of systemd; undefined where it does not tell. */
async function systemdVersion(): Promise<number | undefined> {
  const version = /^systemd (\d+)/.exec(await runTool("systemd-creds", ["--version"]))?.[1];
  return version === undefined ? undefined : Number(version);
}

/** Makes it, sealed by the TPM or the key of this host: the key itself is in no file. What is there stays. */
async function make(file: string): Promise<() => Promise<void>> {
  const undoFolder = await makeFolder(dirname(file), 0o700), made = `${file}.new`;
  try {
    await runTool(
      "systemd-creds",
      ["encrypt", `--name=${CREDENTIAL_NAME}`, "-", made],
      newKeyBytes().toHex(),
    );
    await Deno.chmod(made, 0o600);
    await Deno.rename(made, file);
  } catch (error) {
    await removeAt(made);
    await undoFolder();
    throw error;
  }
  return async () => {
    await removeAt(file);
    await undoFolder();
  };
}

/**
 * Makes the credential where there is none and systemd can. Without it, the key's file is protected by its mode alone: the
 * installation goes on.
 */
export async function credentialSteps(say: Say, file = CREDENTIAL_FILE): Promise<InstallStep[]> {
  if (await isTaken(file) || await findTool("systemd-creds") === undefined) return [];
  if ((await systemdVersion() ?? 0) < LEAST_SYSTEMD) return [];
  return [{
    what: message`credential ${file}`,
    silent: true,
    run: async () => {
      try {
        const undo = await make(file);
        say(message`credential ${file}`);
        return undo;
      } catch (error) {
        say(
          message`no systemd credential was made, so the encryption key is in a file alone: ${
            messageOf(error)
          }`,
        );
      }
    },
  }];
}
