/** Initial settings of cloud-init for a new VM. Pure. */
import type { CloudInit, CloudInitUser } from "../../contract/cloud_init.ts";
import { imageUser } from "./sign_in.ts";

/**
 * The user of a new VM, as cloud images make theirs: sudo asks for no password.
 *
 * @param osId libosinfo's short id, where the operating system is known
 * @param sshKeys of the person who makes the VM
 */
export const firstUser = (osId: string | undefined, sshKeys: readonly string[]): CloudInitUser => ({
  name: imageUser(osId),
  sudo: "nopasswd",
  ...(sshKeys.length > 0 && { sshKeys: [...sshKeys] }),
});

/** The configuration with that user alone. */
export const firstCloudInit = (osId: string | undefined, sshKeys: readonly string[]): CloudInit => ({
  form: { users: [firstUser(osId, sshKeys)] },
});
