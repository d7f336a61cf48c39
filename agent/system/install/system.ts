/** The programs of the host that an installation needs, run with argument arrays. */
import { findTool, runTool } from "../../network/forwards/tools.ts";
import { KVM_GROUP, LIBVIRT_GROUP, NAME } from "../../../lib/system/install/layout.ts";
import { textAt } from "../../machine/files.ts";
import type { Undo } from "./steps.ts";

/** Whether systemd runs here: it is what starts services. */
export async function hasSystemd(): Promise<boolean> {
  try {
    return (await Deno.stat("/run/systemd/system")).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Runs systemctl. @throws {ToolError} with what it said */
export async function systemctl(...args: string[]): Promise<string> {
  return await runTool("systemctl", args);
}

/** Numbers of an account. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The service's account, by /etc/passwd; undefined where there is none. */
export async function account(): Promise<Account | undefined> {
  for (const line of (await textAt("/etc/passwd") ?? "").split("\n")) {
    const [name, , uid, gid] = line.split(":");
    if (name === NAME) return { uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

async function groups(): Promise<Set<string>> {
  const text = await textAt("/etc/group") ?? "";
  return new Set(text.split("\n").map((line) => line.split(":")[0] ?? ""));
}

/**
 * Makes the service's account, in the groups that there are; what is there already stays.
 *
 * @param sysusers file for systemd-sysusers, which is asked first
 * @throws {ToolError}
 */
export async function makeAccount(sysusers: string, home: string): Promise<Undo | void> {
  const was = await account();
  if (await findTool("systemd-sysusers") !== undefined) {
    await runTool("systemd-sysusers", [sysusers]);
  } else if (was === undefined) {
    await runTool("useradd", [
      ...["--system", "--user-group", "--no-create-home", "--home-dir", home, "--shell", "/usr/sbin/nologin"],
      ...["--comment", "KVM Manager", "--", NAME],
    ]);
  }
  const there = await groups();
  const wanted = [LIBVIRT_GROUP, KVM_GROUP].filter((group) => there.has(group));
  if (wanted.length > 0) await runTool("usermod", ["--append", "--groups", wanted.join(","), "--", NAME]);
  if (was === undefined) return removeAccount;
}

/** Removes the account. @throws {ToolError} */
export async function removeAccount(): Promise<void> {
  if (await account() !== undefined) await runTool("userdel", ["--", NAME]);
}

/** Hands a folder with all that is in it to an account; symbolic links themselves, not what they lead to. */
export async function changeOwner(path: string, { uid, gid }: Account): Promise<void> {
  await runTool("chown", ["--recursive", "--no-dereference", `${uid}:${gid}`, "--", path]);
}
