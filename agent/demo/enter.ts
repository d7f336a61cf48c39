/** User and folders of `serve --demo`: it serves every visitor on loopback, so it must not be able to do harm. */
import { join } from "node:path";
import { SettingsError } from "../settings.ts";
import type { Settings } from "../settings.ts";
import { becomeUser, userIds } from "../../ffi/libc.ts";
import { workerUrl } from "../../lib/bundle.ts";
import { message, render } from "../../lib/i18n/message.ts";
import { messageOf } from "../../lib/text/message.ts";

/** The account that owns nothing. Its numbers are these wherever the host does not say otherwise. */
const NOBODY = "nobody", NOBODY_IDS = { uid: 65534, gid: 65534 };

/** A demo's settings, and its temporary folder, which goes when it is disposed of. */
export interface DemoPlaces extends AsyncDisposable {
  readonly settings: Settings;
  readonly folder: string;
}

/** Whether this process may read the program itself: its workers are loaded later. */
async function requireReadableProgram(): Promise<void> {
  try {
    (await Deno.open(new URL(workerUrl("ffi/worker.ts")))).close();
  } catch (error) {
    throw new SettingsError(
      render(
        message`--demo gives up root and runs as ${NOBODY}, who cannot read the program (${
          messageOf(error)
        }). Start it as another user, or from a folder that everybody may read`,
      ),
    );
  }
}

/** Whether this process may write into a folder that was named. */
async function requireWritable(flag: string, folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    await Deno.remove(await Deno.makeTempDir({ dir: folder }));
  } catch (error) {
    throw new SettingsError(
      render(
        message`${flag}: the demo cannot write into ${folder} (${
          messageOf(error)
        }). Leave ${flag} out: the demo has a temporary folder of its own`,
      ),
    );
  }
}

/**
 * Gives up root for good if it has it, and makes a private temporary folder for paths that were not named.
 *
 * @throws {SettingsError} if that user cannot run the program or use a folder that was named
 */
export async function enterDemoFolder(settings: Settings): Promise<DemoPlaces> {
  const folder = await Deno.makeTempDir({ prefix: "kvm-manager-demo-" });
  const remove = () => Deno.remove(folder, { recursive: true });
  try {
    if (Deno.uid() === 0) {
      const ids = userIds(NOBODY) ?? NOBODY_IDS;
      await Deno.chown(folder, ids.uid, ids.gid);
      becomeUser(ids);
    }
    await requireReadableProgram();
    const { dataDir, runtimeDir } = settings;
    if (dataDir !== "") await requireWritable("--data-dir", dataDir);
    if (runtimeDir !== "") await requireWritable("--runtime-dir", runtimeDir);
    return {
      folder,
      settings: {
        ...settings,
        dataDir: dataDir || join(folder, "data"),
        runtimeDir: runtimeDir || join(folder, "run"),
      },
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
