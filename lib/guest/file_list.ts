/** Listing a folder of a Linux guest with the programs that every one has. Pure. */
import type { GuestFile } from "../contract/guest.ts";
import { textOfBytes } from "../text/byte_text.ts";

/** Files of a folder that are listed; the rest is left out. */
export const MOST_FILES = 2000;

/** Format of each file's line: mode in hex, bytes, time, owner, group, path. GNU's stat and busybox's know these. */
const FORMAT = "%f %s %Y %u:%U %g:%G %n";
const LINE = /^([0-9a-f]{1,8}) (\d{1,16}) (-?\d{1,12}) (\d{1,10}:\S{1,256}) (\d{1,10}:\S{1,256}) $/;

/** A user or group by name, or by number where the guest has no name for it. */
function nameOf(account: string): string {
  const at = account.indexOf(":"), name = account.slice(at + 1);
  return name === "UNKNOWN" ? account.slice(0, at) : name;
}

/** The folder as the programs get it: behind it they see what a link leads to. */
const within = (path: string) => `${path.replace(/\/+$/, "")}/.`;

/** The program and its arguments that list a folder. No shell is between. */
export function listCommand(path: string): readonly [command: string, ...args: string[]] {
  return [
    "find",
    within(path),
    "-mindepth",
    "1",
    "-maxdepth",
    "1",
    "-exec",
    "stat",
    "-c",
    FORMAT,
    "{}",
    "+",
  ];
}

/** `S_IFMT` and what it holds. */
const KINDS: Readonly<Record<number, GuestFile["kind"]>> = {
  0o100000: "file",
  0o040000: "folder",
  0o120000: "link",
};

/**
 * The files that the output names, folders first. A file's name may hold anything but a slash, line breaks too: a line
 * that is no file's, with the folder's own path before its name, is a part of the name above it. So no name can make
 * up a file.
 */
export function listedFiles(path: string, output: Uint8Array): { files: GuestFile[]; truncated: boolean } {
  const start = `${within(path)}/`;
  const files: GuestFile[] = [];
  for (const line of textOfBytes(output).split("\n")) {
    const at = line.indexOf(start);
    const head = at < 0 ? null : LINE.exec(line.slice(0, at));
    if (head === null) {
      const last = files.at(-1);
      if (last !== undefined && line !== "") last.name += `\n${line}`;
      continue;
    }
    const [, mode = "0", size, modified, owner = "", group = ""] = head;
    const bits = parseInt(mode, 16);
    files.push({
      name: line.slice(at + start.length),
      kind: KINDS[bits & 0o170000] ?? "other",
      size: Number(size),
      modifiedAt: Number(modified) * 1000,
      mode: (bits & 0o7777).toString(8).padStart(4, "0"),
      owner: nameOf(owner),
      group: nameOf(group),
    });
  }
  files.sort((a, b) =>
    Number(b.kind === "folder") - Number(a.kind === "folder") || (a.name < b.name ? -1 : 1)
  );
  return { files: files.slice(0, MOST_FILES), truncated: files.length > MOST_FILES };
}
