/**
 * Which commands the pairs come from: one that keeps something for a VM has a noun, one that changes or ends something has
 * an event. A command of the contract without its row does not compile.
 */
import type { CommandName } from "../../../lib/contract/mod.ts";
import type { EventName } from "./events.ts";
import type { NounName } from "./nouns.ts";

/** Why a command has no row or column of its own. */
export type Otherwise = { readonly none: string } | { readonly file: string };

type Keeping = Extract<
  CommandName,
  | `set_${string}`
  | `create_${string}`
  | `attach_${string}`
  | `add_${string}`
  | `update_${string}`
  | `silence_${string}`
  | `protect_${string}`
  | `insert_${string}`
>;

type Changing = Extract<
  CommandName,
  | `delete_${string}`
  | `rename_${string}`
  | `clone_${string}`
  | `convert_${string}`
  | `import_${string}`
  | `restore_${string}`
  | `revert_${string}`
  | `move_${string}`
  | `detach_${string}`
  | `remove_${string}`
  | `discard_${string}`
  | `empty_${string}`
  | `eject_${string}`
  | `stop_${string}`
  | `start_${string}`
  | `wipe_${string}`
  | `resize_${string}`
  | `revoke_${string}`
>;

const OF_HOST = { none: "kept for the host" };
const OF_ACCOUNT = { none: "kept for an account" };
const OF_OBJECT = { none: "kept by the object itself, with its id" };
const SELF = { none: "changes what the command's own row keeps" };

export const KEPT_BY: Record<Keeping, NounName | Otherwise> = {
  set_autostart: "autostart",
  set_tags: "tags",
  set_group: "group",
  create_vm: { none: "makes the VM" },
  create_vm_from_template: { none: "makes the VM" },
  set_cloud_init: "cloud-init seed",
  set_vm_xml: { file: "tests/system/vm_xml_test.ts" },
  update_vm: "title",
  attach_disk: "passphrase of a disk",
  update_disk: "disk limit",
  insert_media: { file: "tests/system/media_content_test.ts" },
  insert_guest_tools: { file: "tests/system/media_content_test.ts" },
  attach_nic: "reserved address",
  update_nic: "network filter",
  attach_share: "shared folder",
  attach_host_device: { file: "tests/system/host_devices_test.ts" },
  protect_screens: { file: "tests/system/screen_passwords_test.ts" },
  create_snapshot: "snapshot",
  create_storage_pool: OF_HOST,
  set_storage_pool_autostart: OF_HOST,
  create_volume: "passphrase of a disk",
  create_network: OF_HOST,
  set_network_autostart: OF_HOST,
  update_network: OF_HOST,
  update_network_dhcp: "reserved address",
  add_port_forward: "port forward",
  set_image_policy: OF_HOST,
  create_template: "template",
  update_template: "template",
  update_retention_policy: OF_HOST,
  update_metric_push: OF_HOST,
  create_schedule: "schedule of the VM",
  update_schedule: "schedule of its tag",
  create_backup: "backup of its tag",
  update_backup: "backup of its tag",
  create_backup_target: OF_OBJECT,
  update_backup_target: OF_OBJECT,
  update_bin_policy: OF_HOST,
  create_alert: "alert",
  update_alert: "alert",
  silence_alert: "alert",
  set_up: OF_ACCOUNT,
  create_setup_link: OF_ACCOUNT,
  set_password: OF_ACCOUNT,
  set_ssh_keys: OF_ACCOUNT,
  set_time_zone: OF_ACCOUNT,
  create_user: "grant on the VM",
  update_user: "grant on its group",
  create_role: OF_ACCOUNT,
  update_role: OF_ACCOUNT,
  create_token: "grant on the VM",
  update_audit_retention: OF_HOST,
  add_passkey: OF_ACCOUNT,
  create_alert_target: OF_OBJECT,
  update_alert_target: OF_OBJECT,
};

export const CHANGED_BY: Record<Changing, EventName | Otherwise> = {
  delete_vm: "delete with disks, restore",
  rename_vm: "rename",
  clone_vm: "clone",
  import_vm: { file: "tests/system/vm_import_test.ts" },
  import_ova: { file: "tests/system/ova_test.ts" },
  restore_backup: "restore in place",
  restore_backup_disk: { file: "tests/system/backups_test.ts" },
  restore_bin_entry: "delete, keep disks, restore",
  revert_snapshot: "revert to an earlier snapshot",
  move_disk: { file: "tests/system/move_disk_test.ts" },
  start_vm: "start",
  stop_vm: { file: "tests/system/vm_power_test.ts" },
  discard_saved_memory: { file: "tests/system/saved_memory_test.ts" },
  discard_pending_changes: SELF,
  detach_disk: { file: "tests/system/vm_disks_test.ts" },
  detach_nic: { file: "tests/system/vm_nics_test.ts" },
  detach_share: SELF,
  detach_host_device: SELF,
  eject_media: SELF,
  resize_disk: SELF,
  remove_cloud_init: SELF,
  remove_port_forward: SELF,
  delete_snapshot: { file: "tests/system/snapshots_test.ts" },
  start_storage_pool: "pool deleted and made again",
  stop_storage_pool: "pool deleted and made again",
  delete_storage_pool: "pool deleted and made again",
  start_network: "network deleted and made again",
  stop_network: "network deleted and made again",
  delete_network: "network deleted and made again",
  resize_volume: { file: "tests/system/storage_users_test.ts" },
  clone_volume: { file: "tests/system/storage_users_test.ts" },
  convert_volume: { file: "tests/system/storage_users_test.ts" },
  wipe_volume: { file: "tests/system/storage_users_test.ts" },
  delete_volume: { file: "tests/system/storage_users_test.ts" },
  delete_upload: SELF,
  delete_template: { file: "tests/system/templates_test.ts" },
  delete_bin_entry: { file: "tests/system/bin_test.ts" },
  empty_bin: { file: "tests/system/bin_test.ts" },
  delete_schedule: SELF,
  delete_backup: SELF,
  delete_backup_target: { file: "tests/system/backup_targets_test.ts" },
  delete_alert: SELF,
  delete_alert_target: SELF,
  delete_user: { file: "tests/system/access_test.ts" },
  delete_role: { file: "tests/system/access_test.ts" },
  revoke_token: SELF,
  revoke_session: SELF,
  rename_passkey: SELF,
  remove_passkey: SELF,
};
