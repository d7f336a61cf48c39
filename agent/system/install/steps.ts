/** Work of several steps: what was done is undone, last first, when a later one fails. */
import { dirname } from "node:path";
import { translated } from "../../../lib/i18n/locale.ts";
import { message, render, type Sentence } from "../../../lib/i18n/message.ts";
import { clauseOf, messageOf } from "../../../lib/text/message.ts";
import { isTaken, undefinedIfMissing } from "../../machine/files.ts";
import { Rollback } from "../../rollback.ts";

/** It could not be done: what, why, what to do. */
export class InstallError extends Error {
  override readonly name = "InstallError";
}

/** Takes back one step. */
export type Undo = () => Promise<void>;

/** One step; gives what takes it back, where there is something to take back. */
export interface InstallStep {
  /** Description of the step, for people: `unit /etc/systemd/system/…`. */
  readonly what: Sentence;
  readonly run: () => Promise<Undo | void>;
  /** It is not worth telling of. */
  readonly silent?: true;
}

/** Tells a person what happens. */
export type Say = (line: Sentence) => void;

/**
 * Carries steps out in order.
 *
 * @throws {InstallError} when one failed: those before it were taken back, and the text says which could not be
 */
export async function runSteps(steps: readonly InstallStep[], say: Say): Promise<void> {
  const rollback = new Rollback();
  for (const { what, run, silent } of steps) {
    try {
      const undo = await run();
      if (undo) rollback.add(render(what), undo);
      if (!silent) say(what);
    } catch (error) {
      const left = (await rollback.run()).map(({ what, error }) => `${what} (${messageOf(error)})`);
      const failed = render(what), why = translated(clauseOf(error));
      throw new InstallError(
        render(
          left.length === 0
            ? message`${failed}: ${why}. What was done before it was undone`
            : message`${failed}: ${why}. Not undone: ${left.join("; ")}`,
        ),
        { cause: error },
      );
    }
  }
}

/** Removes a file or folder; whether there was one. */
export async function removeAt(path: string): Promise<boolean> {
  return await undefinedIfMissing(Deno.remove(path, { recursive: true }).then(() => true)) ?? false;
}

/** Makes a folder and those above it; gives what removes the ones that were made, if they are empty then. */
export async function makeFolder(path: string, mode: number): Promise<Undo> {
  const made: string[] = [];
  for (let at = path; !await isTaken(at); at = dirname(at)) made.push(at);
  for (const folder of made.toReversed()) await Deno.mkdir(folder, { mode: folder === path ? mode : 0o755 });
  // The umask took bits away
  for (const folder of made) await Deno.chmod(folder, folder === path ? mode : 0o755);
  return async () => {
    for (const folder of made) {
      await Deno.remove(folder).catch((error) => {
        // ENOTEMPTY: somebody put something there
        if (!(error instanceof Deno.errors.NotFound) && !/not empty/i.test(messageOf(error))) throw error;
      });
    }
  };
}

/**
 * Puts a file in its place, whole or not at all: what is there is replaced at once, and comes back when it is undone.
 *
 * @param write makes the new file at the path it is given
 */
export async function putFile(
  path: string,
  mode: number,
  write: (path: string) => Promise<void>,
): Promise<Undo> {
  const [staging, saved] = [`${path}.new`, `${path}.old`];
  const undoFolder = await makeFolder(dirname(path), 0o755);
  try {
    await removeAt(staging);
    await write(staging);
    await Deno.chmod(staging, mode);
    const was = await isTaken(path);
    if (was) {
      await removeAt(saved);
      await Deno.link(path, saved);
    }
    await Deno.rename(staging, path);
    return async () => {
      if (was) await Deno.rename(saved, path);
      else await Deno.remove(path);
      await undoFolder();
    };
  } catch (error) {
    await removeAt(staging);
    await undoFolder();
    throw error;
  }
}

/** Forgets what {@link putFile} saved for its undo. */
export async function forgetSaved(path: string): Promise<void> {
  await removeAt(`${path}.old`);
}
