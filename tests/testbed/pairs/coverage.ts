/**
 * Pairs of each command: the noun that it keeps, the event that it is, the test that has its pairs, or the reason why
 * it keeps nothing. A command of the contract that changes something does not compile without its line.
 */
import type { CommandName, Commands } from "../../../lib/contract/mod.ts";
import type { EventName } from "./events.ts";
import type { NounName } from "./nouns.ts";

/** A test of `tests/system` that has the pairs, and words of it. */
export interface ElsewhereTested {
  readonly file: string;
  readonly words: string;
}
/** Why a command has none. */
interface NothingKept {
  readonly none: string;
}
export type PairOf = NounName | EventName | ElsewhereTested | NothingKept;

/** Commands that change something. */
type Changing = {
  [N in CommandName]: Commands[N]["readOnly"] extends true ? never : N;
}[CommandName];

const test = (file: string, words: string): ElsewhereTested => ({
  file: `tests/system/${file}_test.ts`,
  words,
});
const none = (why: string): NothingKept => ({ none: why });

const OF_HOST = none("kept for the host, whatever VMs there are");
const OF_ACCOUNT = none("kept for an account, with its id");
const OF_OBJECT = none("kept by the object itself, with its id");
const OF_QEMU = none("the QEMU that runs has it, and it ends with that");
const IN_GUEST = none("it is within the guest, which has it on its own disks");
const TRIES = none("it tries what is kept, and keeps nothing itself");

const OF_VMS = {
  create_vm: none("it makes the VM"),
  create_vm_from_template: none("it makes the VM"),
  import_vm: test("vm_import", "after its deletion it comes back as it was"),
  import_ova: test("ova", "imported, it has the same content, and boots"),
  import_foreign_vm: test("foreign_import", "what was chosen last is proposed the next time"),
  export_ova: test("ova_job", "what is exported, imported or held is kept from change meanwhile"),
  clone_vm: "clone",
  rename_vm: "rename",
  migrate_vm: test("migrate_vm", "it moves, with its data, tags and autostart"),
  batch_migrate_vms: test("maintenance", "several by one call; what cannot move is refused by itself"),
  delete_vm: "delete with disks, restore",
  set_vm_xml: test("vm_xml", "rights to the group that it is taken out of end at once"),
  update_vm: "title",
  set_autostart: "autostart",
  set_tags: "tags",
  set_group: "group",
  start_vm: "start",
  batch_start_vms: test("pairs_images", "every way to start it is refused"),
  force_stop_vm: "start",
  batch_force_stop_vms: test("saved_memory", "a suspended VM whose saved memory is damaged"),
  stop_vm: OF_QEMU,
  batch_stop_vms: OF_QEMU,

  pause_vm: OF_QEMU,
  resume_vm: OF_QEMU,
  reboot_vm: OF_QEMU,
  batch_reboot_vms: OF_QEMU,
  reset_vm: OF_QEMU,
  send_keys: OF_QEMU,
  open_console: test("access", "a machine that leaves the group takes its consoles along"),
  protect_screens: test("screen_passwords", "suspended: continued, it is closed"),
  suspend_vm: "saved memory",
  discard_saved_memory: test("pairs_saved_memory", "once the memory is discarded, a disk goes to another VM"),
  discard_pending_changes: test("boot_once", "discarding pending changes does not keep it"),
  create_snapshot: "snapshot",
  revert_snapshot: "revert to an earlier snapshot",
  delete_snapshot: test("pairs_saved_memory", "a snapshot with memory; deletion within the disk is allowed"),
  set_cloud_init: "cloud-init seed",
  remove_cloud_init: "cloud-init seed",
} as const;

const OF_DEVICES = {
  attach_disk: "passphrase of a disk",
  update_disk: "disk limit",
  detach_disk: test(
    "storage_users",
    "a disk is not deleted with its detaching while something else needs it",
  ),
  resize_disk: test("pairs_saved_memory", "a disk grows"),
  move_disk: test("move_disk", "refused: same pool, snapshots, drives, unknown disks"),
  insert_media: test("pairs_saved_memory", "a medium is put in"),
  eject_media: test("pairs_saved_memory", "a medium is ejected"),
  insert_guest_tools: none("its medium is the product's own, and is made again where it is gone"),
  attach_nic: "reserved address",
  update_nic: "network filter",
  detach_nic: test("pairs_saved_memory", "a card is detached"),
  attach_share: "shared folder",
  detach_share: "shared folder",
  attach_host_device: test("host_devices", "a clone leaves them with the original"),
  detach_host_device: test("pairs_devices", "a PCI address that leads to another device since"),
} as const;

const OF_GUESTS = {
  install_guest_agent: test("own_agent", "the CD and the channel by one command"),
  guest_freeze: test("guest", "frozen by us, and we are killed: the next run thaws it"),
  guest_thaw: test("guest_quiesce", "what somebody keeps frozen is not thawed by a snapshot"),
  guest_shutdown: OF_QEMU,
  guest_reboot: OF_QEMU,
  guest_control_service: IN_GUEST,
  guest_exec: IN_GUEST,
  guest_exec_task: IN_GUEST,
  guest_write_file: IN_GUEST,
  guest_create_folder: IN_GUEST,
  guest_copy_to: IN_GUEST,
  guest_copy_folder_to: IN_GUEST,
  guest_set_time: IN_GUEST,
  guest_set_password: IN_GUEST,
  guest_change_ssh_keys: IN_GUEST,
  guest_set_metadata: IN_GUEST,
} as const;

const OF_STORAGE = {
  create_storage_pool: "pool deleted and made again",
  start_storage_pool: "pool deleted and made again",
  stop_storage_pool: "pool deleted and made again",
  delete_storage_pool: "pool deleted and made again",
  set_storage_pool_autostart: OF_HOST,
  refresh_storage_pool: none("it reads what the pool has"),
  create_volume: "passphrase of a disk",
  resize_volume: test("storage_users", "a folder is copied, converted, wiped, enlarged by nothing"),
  clone_volume: test("storage_users", "a folder is copied, converted, wiped, enlarged by nothing"),
  import_template: test(
    "copy_template",
    "a definition or a volume that would reach into the host is refused, or left out",
  ),
  copy_template_to_host: test(
    "copy_template",
    "its line is cut twice: it goes on, and each disk has the same content",
  ),
  copy_volume_to_host: test("copy_volume", "cut three times, it goes on where it was"),
  convert_volume: test("storage_users", "a folder is copied, converted, wiped, enlarged by nothing"),
  wipe_volume: test("storage_users", "nothing of it is wiped or deleted"),
  delete_volume: test("storage_users", "nothing of it is wiped or deleted"),
  upload_volume: test("volume_content", "an upload that breaks off goes on where it was"),
  delete_upload: test("pairs_upload", "an upload that broke off goes on for who began it"),
  download_image: test("images", "a CD image, and who uses it"),
  set_image_policy: OF_HOST,
  create_template: "template",
  update_template: "template",
  delete_template: test("bin", "a template, and a version of it, go into the bin and come back"),
  restore_bin_entry: "delete, keep disks, restore",
  delete_bin_entry: test("bin", "a base that something in the bin is built on stays"),
  empty_bin: test("bin", "emptied by pool"),
  update_bin_policy: OF_HOST,
  cancel_job: test(
    "move_disk",
    "cancelled while it is copied: the VM stays on what it had, the copy is gone",
  ),
} as const;

const OF_NETWORKS = {
  create_network: "network deleted and made again",
  start_network: "network deleted and made again",
  stop_network: "network deleted and made again",
  delete_network: "network deleted and made again",
  set_network_autostart: OF_HOST,
  update_network: OF_HOST,
  update_network_dhcp: "reserved address",
  add_port_forward: "port forward",
  enable_port_forward: "port forward",
  remove_port_forward: "port forward",
} as const;

const OF_TASKS = {
  create_project: OF_HOST,
  update_project: OF_HOST,
  create_project_vm: none("it makes the VM"),
  set_quota: OF_HOST,
  delete_project: test("projects", "deleted, its VMs stay and rights on it end"),
  add_project_member: OF_ACCOUNT,
  remove_project_member: OF_ACCOUNT,
  set_vm_project: test("projects", "renamed, in the bin and back, undefined and defined by virsh, it stays"),
  set_vm_end: test("projects", "an end date is told, and then the guest is asked once to shut down"),
  create_profile: OF_HOST,
  update_profile: test("profiles", "an automation account does on its project what its agent may"),
  delete_profile: test("profiles", "deleted while it is in use: what its tools may do stays"),
  assign_profile: test("profiles", "an automation account does on its project what its agent may"),
  unassign_profile: test("profiles", "without a project it may do nothing"),
  add_local_tool: test("profiles", "a local tool goes before that of the profile"),
  remove_local_tool: test("profiles", "a local tool goes before that of the profile"),
  export_profile: none("it writes a file that it forgets"),
  import_profile: OF_HOST,
  set_tool: OF_HOST,
  delete_tool: OF_HOST,
  run_skill: test("profiles", "A skill runs on its project alone, within its permissions"),
  call_server_tool: none("it is kept by the other server, where it is kept"),
  create_placement_rule: test("maintenance", "a move goes against it only where that is confirmed"),
  update_placement_rule: test("maintenance", "changed: apart, they may not be on one host"),
  delete_placement_rule: test("maintenance", "changed: apart, they may not be on one host"),
  create_replication: test("replication_pairs", "moved to the host that has the replica, and back"),
  update_replication: test(
    "replication_bad_days",
    "the line breaks while the VM is made there: it is known again soon, also where it is paused",
  ),
  replicate_now: test("replication_pairs", "a backup and an increment at once: one waits for the other"),
  delete_replication: test("replication", "the way back: its old disk is the base, and what differs is sent"),
  switch_over: test(
    "replication_pairs",
    "a VM that is switched over is not replicated, moved or switched over to a third host",
  ),
  promote_replica: test(
    "replication",
    "its VM of the replica is what it was, also where its host is not asked",
  ),
  test_replica: test("replication", "tested: a VM with its content that reaches nothing; increments go on"),
  end_replica_test: test(
    "replication",
    "tested: a VM with its content that reaches nothing; increments go on",
  ),
  delete_replica: test("replication_kills", "unplanned switch-overs at random moments"),
  start_maintenance: test("maintenance", "killed in the middle, it goes on; each VM runs once"),
  stop_drain: test("maintenance", "stopped, nothing more leaves; what is gone is not brought back"),
  end_maintenance: test("maintenance", "back to normal: each VM is back where it was"),
  update_move_limits: OF_HOST,
  create_schedule: "schedule of the VM",
  update_schedule: "schedule of its tag",
  enable_schedule: test("schedules", "who changes it, or switches it on, is who it runs as from then on"),
  run_schedule_now: "schedule of the VM",
  delete_schedule: "schedule of the VM",
  create_backup: "backup of its tag",
  update_backup: "backup of its tag",
  enable_backup: "backup of its tag",
  run_backup_now: "checkpoint of a backup",
  verify_backup: TRIES,
  delete_backup: test("schedules", `"delete_backup", { backupId }), "BackupInUse"`),
  restore_backup: "restore in place",
  restore_backup_disk: test("backups", "one disk comes back as a new volume, and no VM is changed"),
  create_backup_target: OF_OBJECT,
  update_backup_target: OF_OBJECT,
  test_backup_target: TRIES,
  delete_backup_target: test("backup_targets", "BackupTargetInUse"),
} as const;

const OF_ALERTS = {
  create_alert: "alert",
  update_alert: "alert",
  enable_alert: "alert",
  delete_alert: "alert",
  acknowledge_alert: none("kept by what has fired, and ends with it"),
  silence_alert: test("pairs_names", "an alert, a silence, a schedule, a backup and a grant on names"),
  end_silence: OF_OBJECT,
  create_alert_target: OF_OBJECT,
  update_alert_target: OF_OBJECT,
  enable_alert_target: OF_OBJECT,
  delete_alert_target: OF_OBJECT,
  test_alert_target: TRIES,
  deliver_alerts: none("it sends what waits, and keeps nothing"),
  update_retention_policy: OF_HOST,
  execute_cleanup: none("figures go by their age, whichever VM they are of"),
  cleanup_old_metrics: none("figures go by their age, whichever VM they are of"),
  update_mcp_access: OF_HOST,
  stop_mcp: OF_HOST,
  update_metric_push: OF_HOST,
  test_metric_push: TRIES,
  update_audit_retention: OF_HOST,
  add_host: test("add_host", "its VMs come and go with it"),
  test_host: TRIES,
  update_host: test("add_host", "its VMs come and go with it"),
  enable_host: test("add_host", "its VMs come and go with it"),
  remove_host: test("add_host", "its VMs come and go with it"),
  invite_host: none("it keeps nothing but a secret that is good once"),
  install_host: test(
    "install_host",
    "as root, from nothing: each failure is undone, and in the end the host is linked",
  ),
  join_host: test("linked_hosts", "a linked host is used as one's own, and as whom"),
  remove_peer: test("linked_hosts", "a linked host is used as one's own, and as whom"),
  set_lock_manager: none("files of libvirt alone are changed by it, and no VM: lock_manager_test"),
  rotate_credential: none("hosts alone are reached by it, and stay so: credentials_test"),
} as const;

const OF_ACCOUNTS = {
  set_up: OF_ACCOUNT,
  create_setup_link: OF_ACCOUNT,
  sign_in: OF_ACCOUNT,
  confirm_sign_in: OF_ACCOUNT,
  sign_out: OF_ACCOUNT,
  begin_totp: OF_ACCOUNT,
  confirm_totp: OF_ACCOUNT,
  disable_totp: OF_ACCOUNT,
  reset_second_factor: OF_ACCOUNT,
  begin_reauthentication: OF_ACCOUNT,
  reauthenticate: OF_ACCOUNT,
  begin_passkey: OF_ACCOUNT,
  sign_in_with_passkey: OF_ACCOUNT,
  add_passkey: OF_ACCOUNT,
  rename_passkey: OF_ACCOUNT,
  remove_passkey: OF_ACCOUNT,
  set_password: OF_ACCOUNT,
  set_ssh_keys: OF_ACCOUNT,
  set_time_zone: OF_ACCOUNT,
  set_language: OF_ACCOUNT,
  create_user: "grant on the VM",
  update_user: test("pairs_names", "a schedule whose owner lost the right to one VM"),
  delete_user: test("access", "changing the password, disabling and deleting end what there is"),
  create_role: OF_ACCOUNT,
  update_role: OF_ACCOUNT,
  delete_role: OF_ACCOUNT,
  create_token: "grant on the VM",
  revoke_token: test("access", "what is revoked ends at once, with its streams and consoles"),
  revoke_session: test("access", "what is revoked ends at once, with its streams and consoles"),
} as const;

export const PAIR_OF: Readonly<Record<Changing, PairOf>> = {
  ...OF_VMS,
  ...OF_DEVICES,
  ...OF_GUESTS,
  ...OF_STORAGE,
  ...OF_NETWORKS,
  ...OF_TASKS,
  ...OF_ALERTS,
  ...OF_ACCOUNTS,
};
