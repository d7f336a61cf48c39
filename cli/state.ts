/** `kvm-manager backup-state` and `restore-state`: the program's own database, keys and settings as one file. */
import { ownHelp } from "./own_help.ts";
import { message, render } from "../lib/i18n/message.ts";
import { join } from "node:path";
import { DEFAULT_CONFIG, SettingsError } from "../agent/settings.ts";
import { inspectState, saveState, StateError, type StateKey, type StatePlace } from "../agent/store/state.ts";
import { putBack } from "../agent/store/state_restore.ts";
import { StoreError } from "../agent/store/database.ts";
import { lockDataFolder } from "../agent/store/folder_lock.ts";
import { formatBytes } from "../lib/text/quantity.ts";
import { SHORTEST_PASSPHRASE } from "../lib/contract/backup_targets.ts";
import { messageOf } from "../lib/text/message.ts";
import { secretText } from "../lib/text/secret_text.ts";
import { oneLine } from "../lib/text/text.ts";
import { hostCredential, KeyFileError } from "../agent/sealing/key_file.ts";
import type { UnreadSecret } from "../agent/sealing/sealed_values.ts";
import { shell } from "../lib/i18n/en/shell.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { TERMINAL } from "./terminal.ts";
import { parsed } from "./arguments.ts";
import { askAtTerminal } from "./confirm.ts";
import { hostSettings, PLACE_OPTIONS } from "./host_settings.ts";
import { runHostCommand } from "./host_verb.ts";
import { environment, isServing, SOCKET_FILE } from "./environment.ts";

const { t } = textsOf(shell);

const PLACES = [
  ["--data-dir DIR", message`folder of the database (KVMM_DATA_DIR)`],
  ["--config FILE", message`file of the settings (KVMM_CONFIG)`],
] as const;

export const BACKUP_HELP = () =>
  ownHelp({
    usage: "kvm-manager backup-state FILE [OPTIONS]",
    about: [
      message`Saves KVM Manager's own state – users, roles, tokens, audit, tasks, port forwards, keys, settings – into a new file. The server may run. Only its owner can read the file. VMs and disks are not in it.`,
      message`Secrets in it (passwords of hosts, secrets of targets, private keys) are sealed with the key of this host. With a passphrase the file has that key, too, sealed by the passphrase; without one they must be given again elsewhere.`,
    ],
    options: [[
      "--passphrase-file FILE",
      message`a passphrase of 12 characters or more; - reads it from standard input, or asks for it`,
    ], ...PLACES],
  });

export const RESTORE_HELP = () =>
  ownHelp({
    usage: "kvm-manager restore-state FILE [OPTIONS]",
    about: [
      message`Puts a saved state in the place of the present one, which is kept aside. The file is checked first: whole, and not written by a newer KVM Manager. The server must not run: systemctl stop kvm-manager`,
      message`What was revoked since it was saved stays revoked, where the present state can tell; everybody signs in again.`,
    ],
    options: [
      ["--check", message`only check the file`],
      [
        "--passphrase-file FILE",
        message`the passphrase that the state was saved with; - reads it from standard input, or asks for it`,
      ],
      [
        "--with-revoked",
        message`also what was revoked since: deleted users, tokens and port forwards, old passwords and rights`,
      ],
      ["--yes", message`do not ask`],
      ["--runtime-dir DIR", message`where the server's socket would be (KVMM_RUNTIME_DIR)`],
      ...PLACES,
    ],
  });

const OPTIONS = {
  ...PLACE_OPTIONS,
  check: { type: "boolean" },
  yes: { type: "boolean" },
  "with-revoked": { type: "boolean" },
  "passphrase-file": { type: "string" },
} as const;

interface Given {
  readonly file: string;
  readonly place: StatePlace;
  readonly runtimeDir: string;
  readonly check: boolean;
  readonly yes: boolean;
  readonly revives: boolean;
  readonly passphraseFile: string | undefined;
}

/** Reads the arguments of both. @throws {Error} that says what is wrong */
export function readStateFile(args: readonly string[]): Given {
  const { values, positionals } = parsed(args, OPTIONS);
  if (positionals.length !== 1) throw new SettingsError("give one file");
  const settings = hostSettings(PLACE_OPTIONS, values);
  const config = values.config ?? (environment().env("KVMM_CONFIG") || DEFAULT_CONFIG);
  return {
    file: positionals[0]!,
    place: { dataDir: settings.dataDir, config },
    runtimeDir: settings.runtimeDir,
    check: values.check === true,
    yes: values.yes === true,
    revives: values["with-revoked"] === true,
    passphraseFile: values["passphrase-file"],
  };
}

/** The passphrase that a file, standard input or a person gives; never an argument, which every process could read. @throws {StateError} */
async function passphraseIn(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    if (file !== "-") return secretText(await Deno.readTextFile(file));
    return secretText(
      Deno.stdin.isTerminal()
        ? await TERMINAL.secret(`${render(message`Passphrase`)}: `)
        : await TERMINAL.input(),
    );
  } catch (error) {
    throw new StateError(render(message`the passphrase cannot be read: ${messageOf(error)}`), {
      cause: error,
    });
  }
}

/**
 * Secrets that seal the file with the key: a passphrase, or systemd's credential, which root can open.
 *
 * @throws {StateError}
 */
async function stateKey(file: string | undefined): Promise<StateKey> {
  const passphrase = await passphraseIn(file);
  try {
    const credential = await hostCredential();
    return { passphrase, credential: () => credential };
  } catch (error) {
    if (!(error instanceof KeyFileError)) throw error;
    throw new StateError(error.message, { cause: error });
  }
}

const namesOf = (secrets: readonly UnreadSecret[]) =>
  oneLine(secrets.map(({ what }) => what).join(", "), 2000);

export const backupCommand = (args: readonly string[]) =>
  runHostCommand(
    "backup-state",
    () => readStateFile(args),
    StateError,
    async ({ file, place, passphraseFile }) => {
      const key = await stateKey(passphraseFile);
      if (key.passphrase !== undefined && key.passphrase.length < SHORTEST_PASSPHRASE) {
        throw new StateError(
          render(message`the passphrase has fewer than ${SHORTEST_PASSPHRASE} characters. Nothing was saved`),
        );
      }
      const { bytes, database, hasKey, sealed } = await saveState(place, file, key);
      console.log(
        render(message`${file}: ${formatBytes(bytes)}, version ${database} of the database. Keep it safe.`),
      );
      if (sealed.length === 0) return 0;
      console.log(
        render(
          hasKey
            ? message`Its secrets can be read with the passphrase alone: ${namesOf(sealed)}.`
            : message`Its secrets can be read on this host alone, as long as its key is kept. Elsewhere these must be given again: ${
              namesOf(sealed)
            }. With --passphrase-file, the file has the key, too.`,
        ),
      );
      return 0;
    },
  );

/** Works in the data folder while no server can begin to. @throws {StateError} when one runs on it */
async function withLock<T>(dataDir: string, run: () => Promise<T>): Promise<T> {
  let lock: Disposable;
  try {
    lock = await lockDataFolder(dataDir);
  } catch (error) {
    throw error instanceof StoreError ? new StateError(error.message, { cause: error }) : error;
  }
  // Not `using`: the bundler takes a variable out that is read once, and then nothing is let go.
  try {
    return await run();
  } finally {
    lock[Symbol.dispose]();
  }
}

/** Lines on access that was revoked since the backup. Names in them come from outside. */
function revokedLines(revoked: Awaited<ReturnType<typeof putBack>>["revoked"], savedAt: string): string[] {
  if (revoked === undefined || !revoked.isKnown) {
    return [
      render(
        message`Warning: users, tokens and port forwards that were removed or restricted since ${savedAt} are valid again. Look at them: kvm-manager user list, token list, forward list.`,
      ),
    ];
  }
  const lists = [
    [message`users`, revoked.users],
    [message`tokens`, revoked.tokens],
    [message`port forwards`, revoked.forwards],
  ] as const;
  return lists.filter(([, names]) => names.length > 0).map(([what, names]) =>
    render(
      message`Removed since, and not brought back (--with-revoked does): ${what} ${
        oneLine(names.join(", "), 500)
      }`,
    )
  );
}

export const restoreCommand = (args: readonly string[]) =>
  runHostCommand(
    "restore-state",
    () => readStateFile(args),
    StateError,
    async ({ file, place, runtimeDir, check, yes, revives, passphraseFile }) => {
      const { version, database, createdAt, hasKey } = await inspectState(place, file);
      console.log(
        render(
          message`${file}: whole; saved ${createdAt} by ${version}, version ${database} of the database.`,
        ),
      );
      if (hasKey && passphraseFile === undefined) {
        console.log(
          render(
            message`It has the key of its secrets, sealed by a passphrase: give it with --passphrase-file.`,
          ),
        );
      }
      if (!hasKey && passphraseFile !== undefined) {
        throw new StateError("it has no key that a passphrase opens: leave --passphrase-file out");
      }
      if (check) return 0;
      if (await isServing(runtimeDir)) {
        throw new StateError(
          render(
            message`a server runs on this state (${
              join(runtimeDir, SOCKET_FILE)
            }). Stop it first: systemctl stop kvm-manager. Nothing was changed`,
          ),
        );
      }
      if (!yes && !askAtTerminal(render(message`Put it in the place of the state in ${place.dataDir}?`))) {
        console.error(t("shell.nothing_done"));
        return 1;
      }
      const key = await stateKey(passphraseFile);
      const { aside, revoked, unread } = await withLock(
        place.dataDir,
        () => putBack(place, file, revives, key),
      );
      for (const { what, remedy } of unread) {
        console.log(
          render(
            message`Warning: the ${oneLine(what, 200)} cannot be read with the key of this host: ${remedy}.`,
          ),
        );
      }
      for (const line of revokedLines(revoked, createdAt)) console.log(line);
      console.log(
        render(
          message`Done. The state before it is kept in ${aside}. Start again: systemctl start kvm-manager`,
        ),
      );
      return 0;
    },
  );
