/** Checks the permissions of a tool: one function for dispatch, for hooks, and for the matrix on pages. Pure. */
import type { ToolPermissions } from "../contract/profiles.ts";

/** Whether a pattern of a list stands for a name: `*` in it stands for any characters. */
function stands(pattern: string, name: string): boolean {
  const [first = "", ...rest] = pattern.split("*"), last = rest.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) {
    return false;
  }
  // Each part at its first place: what is left for the parts after it is then the longest
  let at = first.length;
  const end = name.length - last.length;
  return rest.every((part) => {
    const found = name.indexOf(part, at);
    at = found + part.length;
    return found >= 0 && at <= end;
  });
}

/** Whether a tool may use something by its name. Without permissions it may; `disallowed_tools` goes before `allowed_tools`. */
export function allowsName(permissions: ToolPermissions | null, name: string): boolean {
  if (permissions === null) return true;
  const { allowed_tools: allowed, disallowed_tools: disallowed } = permissions;
  if (disallowed.some((pattern) => stands(pattern, name))) return false;
  return allowed.length === 0 || allowed.some((pattern) => stands(pattern, name));
}

/** Whether a tool may use a command. What is done to many VMs is what is done to one: where that is disallowed, both are. */
export function allowsCommand(permissions: ToolPermissions | null, command: string): boolean {
  if (permissions === null || !allowsName(permissions, command)) return permissions === null;
  const [, one] = /^batch_(.+)s$/.exec(command) ?? [];
  return one === undefined || !permissions.disallowed_tools.some((pattern) => stands(pattern, one));
}

/** Whether a list names a command, rather than allow all. */
export const namesIt = (permissions: ToolPermissions | null, command: string): boolean =>
  permissions !== null && permissions.allowed_tools.length > 0 && allowsCommand(permissions, command);

/** A directory of a list, without a slash at its end; undefined for what is no absolute path: it allows nothing. */
function directoryOf(text: string): string | undefined {
  if (!text.startsWith("/") || text.split("/").some((part) => part === "." || part === "..")) {
    return undefined;
  }
  return text.replaceAll(/\/+/g, "/").replace(/\/$/, "");
}

/** Whether a text of a list is a directory by which paths are judged. */
export const isPlainDirectory = (text: string): boolean => directoryOf(text) !== undefined;

/** Whether a tool is limited to directories. */
export const limitsDirectories = (permissions: ToolPermissions | null): permissions is ToolPermissions =>
  permissions !== null && permissions.allowed_directories.length > 0;

/** Whether a path is in one of the directories of a tool. @param path absolute, with every link followed */
export function allowsPath(permissions: ToolPermissions | null, path: string): boolean {
  if (!limitsDirectories(permissions)) return true;
  return permissions.allowed_directories.some((each) => {
    const directory = directoryOf(each);
    return directory !== undefined && (path === directory || path.startsWith(`${directory}/`));
  });
}
