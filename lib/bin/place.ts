/**
 * Paths of the bin: it keeps files in a folder of its own next to them, so that nothing is copied and all is one
 * rename.
 */

/** The folder, in the folder that a file was deleted from. */
export const BIN_FOLDER = ".kvm-manager-bin";

/** Whether a path leads into the bin of some folder. */
export const isInBin = (path: string): boolean => path.split("/").includes(BIN_FOLDER);

/** The folder that a path is in, and its name there; of `/a` they are `/` and `a`. */
export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  const slash = path.lastIndexOf("/");
  return { folder: slash <= 0 ? "/" : path.slice(0, slash), name: path.slice(slash + 1) };
}

/** The path of a name in a folder. */
export const joinPath = (folder: string, name: string): string =>
  folder === "/" ? `/${name}` : `${folder}/${name}`;

/** Path of a file in the bin of its folder. @param as its name there */
export const binPath = ({ path, as }: { readonly path: string; readonly as: string }): string =>
  joinPath(joinPath(splitPath(path).folder, BIN_FOLDER), as);

/** The name of the note next to the files of an entry. */
export const noteName = (entryId: string): string => `${entryId}.json`;

/** Id of the entry whose note a file is, by its name; undefined for any other file. */
export const entryOfNote = (name: string): string | undefined =>
  /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.json$/.exec(name)?.[1];

/** The name that a file has in the bin: what it was called before does not matter there. */
export const keptName = (entryId: string, index: number): string => `${entryId}.${index}`;

/**
 * A name that nothing has: the name itself with `-restored`, and a number where that is taken, too. What follows a dot
 * stays at the end.
 */
export function freeFileName(name: string, isTaken: (name: string) => boolean): string {
  const dot = name.lastIndexOf(".");
  const [stem, end] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  for (let n = 1;; n++) {
    const tried = `${stem}-restored${n === 1 ? "" : `-${n}`}${end}`;
    if (!isTaken(tried)) return tried;
  }
}
