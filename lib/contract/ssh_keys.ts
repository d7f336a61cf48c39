/** SSH public keys of accounts: what cloud-init is given for a new VM unless something else is said. */
import Type from "typebox";
import { SshKeys } from "./cloud_init.ts";
import { command } from "./command.ts";
import { closed, NOTHING_IN, NOTHING_OUT } from "./schema.ts";

export const sshKeyCommands = {
  get_ssh_keys: command({
    summary: "Show the SSH public keys that one's new VMs begin with",
    description:
      "Those that were set. Where none ever were, the first that one has given cloud-init for a VM. Pages fill them in for a new VM.",
    role: "viewer",
    permission: "signed-in",
    input: NOTHING_IN,
    output: Type.Object({ sshKeys: Type.Array(Type.String()) }),
    errors: [],
    route: "GET /account/ssh-keys",
    cli: ["account", "ssh-keys", "show"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  set_ssh_keys: command({
    summary: "Set the SSH public keys that one's new VMs begin with",
    description:
      "They are kept with the account. An empty list: none, also when a VM is given some later. API tokens cannot set them.",
    role: "viewer",
    permission: "signed-in",
    input: closed({ sshKeys: SshKeys }),
    output: NOTHING_OUT,
    errors: ["NotByToken", "StoreUnavailable"],
    route: "PUT /account/ssh-keys",
    cli: ["account", "ssh-keys", "set"],
    readOnly: false,
    withoutLibvirt: true,
  }),
};
