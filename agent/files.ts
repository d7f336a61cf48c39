/** Files that may not be there. */

/** What a look at a path gave; undefined where there is nothing. @throws {Error} any other reason, as it came */
export async function orMissing<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

/** Whether there is something at a path, behind links too. */
export async function isThere(path: string): Promise<boolean> {
  return await orMissing(Deno.stat(path)) !== undefined;
}

/** Whether a name is taken, be it by a link that leads nowhere. */
export async function isTaken(path: string): Promise<boolean> {
  return await orMissing(Deno.lstat(path)) !== undefined;
}

/** The text of a file; undefined where there is none. */
export async function textAt(path: string): Promise<string | undefined> {
  return await orMissing(Deno.readTextFile(path));
}
