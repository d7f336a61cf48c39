/** Wine: what stands for Windows where the guest agent's Windows build is tried. */
import { testFolder } from "./folder.ts";
import { ensurePackages } from "./packages.ts";
import { ProcessError, run } from "./process.ts";

/** Installs it when it is missing: 700 MB, for a proof that is left out while the agent is as it was. @throws {Unavailable} */
export const ensureWine = (): Promise<void> => ensurePackages("wine", "wine64");

/** A Windows of its own. Disposing of it ends what runs in it, and removes it. */
export class Wine implements AsyncDisposable {
  readonly #cleanup: AsyncDisposableStack;

  /** Called by {@link wineHere} alone. */
  constructor(
    /** Environment of its programs. */
    readonly env: Readonly<Record<string, string>>,
    /** Its drive C:. */
    readonly drive: string,
    cleanup: AsyncDisposableStack,
  ) {
    this.#cleanup = cleanup;
  }

  /** Runs a program. @returns what it printed @throws {ProcessError} */
  run(...argv: string[]): Promise<string> {
    return run(["wine", ...argv], { env: this.env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}

/** Makes one; takes about ten seconds. */
export async function wineHere(): Promise<Wine> {
  await using undo = new AsyncDisposableStack();
  const folder = undo.use(await testFolder());
  // Without Mono and Gecko, for which it would ask on a screen
  const env = {
    WINEPREFIX: `${folder.path}/prefix`,
    WINEDEBUG: "-all",
    HOME: folder.path,
    WINEDLLOVERRIDES: "mscoree,mshtml=",
  };
  undo.defer(async () => {
    await run(["wineserver", "-k"], { env }).catch((error) => {
      if (!(error instanceof ProcessError)) throw error; // nothing runs in it any more
    });
    await run(["wineserver", "-w"], { env });
  });
  await run(["wineboot", "--init"], { env });
  return new Wine(env, `${env.WINEPREFIX}/drive_c`, undo.move());
}
