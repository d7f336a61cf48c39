/**
 * What pages offer somebody: links, buttons and forms that they may not use are drawn as such. It decides what is shown alone;
 * dispatch decides what is done. Pure, and without the contract: browsers have it, too.
 */
import type { CommandName } from "../contract/mod.ts";

/** What somebody may not do: commands that are refused, and those that are allowed on some VMs alone. */
export interface Offers {
  readonly refused: readonly string[];
  readonly partly: readonly { readonly commands: readonly string[]; readonly vmIds: readonly string[] }[];
}

/** Whether a command is offered: on that VM, or on any where none is named. */
export function isOffered({ refused, partly }: Offers, command: string, vmId?: string): boolean {
  if (refused.includes(command)) return false;
  return vmId === undefined ||
    partly.every(({ commands, vmIds }) => !commands.includes(command) || vmIds.includes(vmId));
}

/** What an address needs: path and query → commands, of which all must be allowed. The first that fits decides. */
const NEEDS: readonly (readonly [at: RegExp, ...needs: CommandName[]])[] = [
  [/^\/vms\/new\b/, "create_vm"],
  [/^\/vms\/import-ova\b/, "import_ova"],
  [/^\/vms\/import\b/, "import_vm"],
  [/^\/vms\/[^/]+\/(?:serial|xml)\?.*\bedit=/, "set_vm_xml"],
  [/^\/vms\/[^/]+\/(?:serial|xml)\b/, "get_vm_xml"],
  [/^\/vms\/[^/]+\/cloud-init\b/, "get_cloud_init"],
  [/^\/vms\/[^/]+\/log\b/, "get_vm_log"],
  [/^\/vms\/[^/]+\/rename\b/, "rename_vm"],
  [/^\/vms\/[^/]+\/clone\b/, "clone_vm"],
  [/^\/vms\/[^/]+\/template\b/, "create_template"],
  [/^\/vms\/[^/]+\/export-ova\b/, "export_ova"],
  [/^\/vms\/[^/]+\/export\b/, "export_vm"],
  [/^\/vms\/[^/]+\/boot\b/, "start_vm"],
  [/^\/vms\/[^/]+\/confirm\?.*\baction=delete\b/, "delete_vm"],
  [/^\/vms\/[^/]+\/confirm\?/, "force_stop_vm"],
  [/^\/vms\/[^/]+\/hardware\?.*\bdo=add/, "update_vm"],
  [/^\/vms\/[^/]+\/disks\?.*\bdo=add\b/, "attach_disk", "get_device_options"],
  [/^\/vms\/[^/]+\/disks\?.*\bdo=share\b/, "attach_share", "get_device_options"],
  [/^\/vms\/[^/]+\/disks\?.*\bdo=unshare\b/, "detach_share"],
  [/^\/vms\/[^/]+\/disks\?.*\bdo=insert\b/, "insert_media", "get_device_options"],
  [/^\/vms\/[^/]+\/disks\?.*\bdo=move\b/, "move_disk", "get_device_options"],
  [/^\/vms\/[^/]+\/disks\?.*\bdo=eject\b/, "eject_media"],
  [/^\/vms\/[^/]+\/disks\?.*\bdo=resize\b/, "resize_disk"],
  [/^\/vms\/[^/]+\/disks\?.*\bdo=edit\b/, "update_disk"],
  [/^\/vms\/[^/]+\/disks\?.*\bdo=detach\b/, "detach_disk"],
  [/^\/vms\/[^/]+\/network\?.*\bdo=add\b/, "attach_nic", "get_device_options"],
  [/^\/vms\/[^/]+\/network\?.*\bdo=detach\b/, "detach_nic"],
  [/^\/vms\/[^/]+\/network\?.*\bdo=/, "update_nic", "get_device_options"],
  [/^\/vms\/[^/]+\/snapshots\?.*\brevert=/, "revert_snapshot"],
  [/^\/vms\/[^/]+\/snapshots\?.*\bdelete=/, "delete_snapshot"],
  [/^\/vms\/[^/]+/, "get_vm"],
  [/^\/vms\b/, "get_vms"],
  [/^\/storage\?.*\bdo=create\b/, "create_storage_pool"],
  [/^\/storage\/[^?]*\?.*\bdo=delete$/, "delete_storage_pool"],
  [/^\/storage\/[^?]*\?.*\bdo=upload\b/, "upload_volume"],
  [/^\/storage\/[^?]*\?.*\bdo=/, "create_volume"],
  [/^\/storage\b/, "get_storage_pools"],
  [/^\/networks\/new\b/, "create_network"],
  [/^\/networks\/topology\b/, "get_network_topology"],
  [/^\/networks\/[^/]+\/confirm\?.*\baction=delete/, "delete_network"],
  [/^\/networks\/[^/]+\/confirm\?/, "stop_network"],
  [/^\/networks\/[^/]+\/edit\b/, "update_network"],
  [/^\/networks\/[^/]+\/forwards\?/, "remove_port_forward"],
  [/^\/networks\b/, "get_networks"],
  [/^\/images\/new\b/, "download_image"],
  [/^\/images\b/, "list_images"],
  [/^\/templates\/new\b/, "create_template"],
  [/^\/templates\b/, "list_templates"],
  [/^\/alerts\/new\b/, "create_alert"],
  [/^\/alerts\/silences\b/, "list_silences"],
  [/^\/alerts\b/, "list_alerts"],
  [/^\/schedules\/new\b/, "create_schedule"],
  [/^\/schedules\/[^/]+\/edit\b/, "update_schedule"],
  [/^\/schedules\b/, "list_schedules"],
  [/^\/backups\/new\b/, "create_backup"],
  [/^\/backups\/[^/]+\/edit\b/, "update_backup"],
  [/^\/backups\/[^/]+\/restore\b/, "restore_backup"],
  [/^\/backups\b/, "list_backups"],
  [/^\/bin\b/, "list_bin"],
  [/^\/insights\b/, "analyze_all_vms"],
  [/^\/monitoring\/?(?:$|\?)/, "get_host_metrics"],
  [/^\/settings\/users\b/, "list_users"],
  [/^\/settings\/roles\b/, "create_role"],
  [/^\/settings\/audit\b/, "get_audit_log"],
  [/^\/settings\/metrics\b/, "update_retention_policy"],
  [/^\/settings\/alert-targets\b/, "create_alert_target"],
  [/^\/settings\/backup-targets\b/, "create_backup_target"],
  [/^\/settings\/certificate\b/, "get_certificate"],
  [/^\/settings\/health\b/, "get_host_health"],
];

/** What a form that its page reads itself needs, where that is more than the page. */
const SENDS: readonly (readonly [at: RegExp, need: CommandName])[] = [
  [/^\/vms\/[^/]+\/hardware\?.*\bform=pending\b/, "discard_pending_changes"],
  [/^\/vms\/[^/]+\/hardware\b/, "update_vm"],
  [/^\/vms\/[^/]+\/cloud-init\b/, "set_cloud_init"],
  [/^\/vms\/[^/]+\/xml\b/, "set_vm_xml"],
  [/^\/networks\/[^/]+\/forwards\b/, "add_port_forward"],
  [/^\/templates\/[^/]+$/, "create_vm_from_template"],
];

/** The VM that an address is about. */
export function vmIdOf(address: string): string | undefined {
  const id = /^\/vms\/([^/?]+)/.exec(address)?.[1] ?? /[?&]vmId=([^&]+)/.exec(address)?.[1];
  return id === undefined || ["new", "import", "import-ova", "actions"].includes(id)
    ? undefined
    : decodeURIComponent(id);
}

/** Whether a page may be opened. @param address path and query */
export function mayOpen(offers: Offers, address: string): boolean {
  const [, ...needs] = NEEDS.find(([at]) => at.test(address)) ?? [];
  return (needs as string[]).every((command) => isOffered(offers, command, vmIdOf(address)));
}

/** Whether a form may be sent. @param address path and query that it is sent to */
export function maySend(offers: Offers, address: string): boolean {
  const command = /^\/do\/(\w+)/.exec(address)?.[1] ?? SENDS.find(([at]) => at.test(address))?.[1];
  return command === undefined ? mayOpen(offers, address) : isOffered(offers, command, vmIdOf(address));
}
