/**
 * The table of slow proofs: test files that go deep into one room of the product. Each is run when something changes that it
 * can see (slow_proofs.ts); what every room needs, and what a user meets first, is run always.
 */

/** One proof. */
export interface SlowProof {
  /** The test files that are left out while nothing changes that they prove. */
  readonly files: readonly string[];
  /** Folders and modules of the product where what is proved begins: the program is started, not imported. */
  readonly rooms: readonly string[];
  /** Modules of the product with this in their text are such, too. */
  readonly having?: RegExp;
  /** Files, and folders of files, that are no modules. */
  readonly other?: readonly string[];
}

/** By name. */
export const SLOW_PROOFS: Readonly<Record<string, SlowProof>> = {
  "memory and descriptors under load": { files: ["tests/system/ffi_soak_test.ts"], rooms: ["ffi"] },
  "slowhttptest": {
    files: ["tests/system/slowhttptest_test.ts"],
    rooms: ["agent/http", "lib/fresh/server"],
    other: ["deno.lock"],
  },
  "guesses of passwords": {
    files: ["tests/system/guessing_test.ts"],
    rooms: ["agent/access", "agent/http", "agent/store/rejected_call_log.ts"],
  },
  "storage under another kernel": {
    files: ["tests/system/other_kernel_test.ts"],
    rooms: ["agent/storage", "agent/mounts"],
    other: ["tests/testbed/other_kernel"],
  },
  "cloud-init in a Debian guest": {
    files: ["tests/system/cloud_init_guest_test.ts"],
    rooms: ["agent/vm/cloud_init"],
  },
  "a console whose client does not read": {
    files: ["tests/system/console_backpressure_test.ts"],
    rooms: ["agent/console", "agent/http"],
  },
  "our guest agent in a guest": {
    files: ["tests/system/guest_agent_test.ts", "tests/system/own_agent_test.ts"],
    rooms: ["agent/guest", "agent/vm/guest_tools"],
    other: ["guest"],
  },
  "the guest agent's Windows build under wine": {
    files: ["tests/system/guest_agent_wine_test.ts"],
    rooms: ["agent/guest/own"],
    other: ["guest"],
  },
  "the guest agent's build for ARM under emulation": {
    files: ["tests/system/guest_agent_arm_test.ts"],
    rooms: ["agent/guest/own"],
    other: ["guest"],
  },
  "backups under kills": {
    files: ["tests/system/backup_kills_test.ts"],
    rooms: ["agent/backups", "agent/operations"],
  },
  "operations of several steps under kills": {
    files: ["tests/system/operations_faults_test.ts"],
    rooms: ["agent/operations"],
    having: /\bStepRule</,
  },
  "single files out of a backup": {
    files: ["tests/system/backup_files_test.ts", "tests/system/backup_far_files_test.ts"],
    rooms: ["agent/backups"],
  },
  "sealing of templates": { files: ["tests/system/template_seal_test.ts"], rooms: ["agent/templates"] },
  "the testbed": { files: ["tests/system/testbed_test.ts"], rooms: [], other: ["tests/testbed/guest"] },
  "installation and packages": {
    files: ["tests/system/install_test.ts"],
    rooms: ["agent/system/install", "cli/install.ts", "scripts/package.ts"],
    other: ["scripts/self_extract.sh"],
  },
  "backups under faults": {
    files: [
      "tests/system/backups_faults_test.ts",
      "tests/system/backups_incremental_faults_test.ts",
      "tests/system/backups_incremental_test.ts",
      "tests/system/backups_off_test.ts",
      "tests/system/backups_parallel_test.ts",
      "tests/system/backups_sparse_test.ts",
      "tests/system/backup_forged_test.ts",
      "tests/system/foreign_bitmaps_test.ts",
    ],
    rooms: ["agent/backups"],
  },
  "backups on stores elsewhere": {
    files: [
      "tests/system/backup_store_s3_test.ts",
      "tests/system/backup_store_sftp_test.ts",
      "tests/system/backup_targets_test.ts",
    ],
    rooms: ["agent/backups"],
  },
  "migrations under kills and cuts": {
    files: [
      "tests/system/migrate_kills_test.ts",
      "tests/system/migrate_breaks_test.ts",
      "tests/system/migrate_belongings_test.ts",
      "tests/system/migrate_snapshots_test.ts",
      "tests/system/migrate_options_test.ts",
    ],
    rooms: ["agent/vm/migration"],
  },
  "replication under kills, on bad days": {
    files: [
      "tests/system/replication_kills_test.ts",
      "tests/system/replication_bad_days_test.ts",
      "tests/system/replication_pairs_test.ts",
      "tests/system/replication_undecided_test.ts",
      "tests/system/replication_networks_test.ts",
    ],
    rooms: ["agent/replication"],
  },
  "snapshots under kills and faults": {
    files: [
      "tests/system/snapshot_kills_test.ts",
      "tests/system/external_snapshots_cut_test.ts",
      "tests/system/external_snapshots_faults_test.ts",
      "tests/system/external_snapshots_missing_test.ts",
      "tests/system/unused_overlays_test.ts",
      "tests/system/adopted_overlay_test.ts",
    ],
    rooms: ["agent/vm/snapshots", "agent/storage/left_files.ts"],
  },
  "VMs of other hypervisors": {
    files: [
      "tests/system/foreign_corpora_test.ts",
      "tests/system/foreign_esxi_test.ts",
      "tests/system/foreign_import_job_test.ts",
      "tests/system/foreign_import_test.ts",
      "tests/system/foreign_libvirt_test.ts",
      "tests/system/foreign_proxmox_ssh_test.ts",
    ],
    rooms: ["agent/vm/foreign"],
  },
  "OVA files": {
    files: [
      "tests/system/ova_dialects_test.ts",
      "tests/system/ova_job_test.ts",
      "tests/system/ova_test.ts",
      "tests/browser/ova_test.ts",
    ],
    rooms: ["agent/vm/ova"],
  },
  "port forwards under faults": {
    files: ["tests/system/forward_faults_test.ts", "tests/system/port_forward_test.ts"],
    rooms: ["agent/network/forwards"],
  },
  "hangs of libvirt, QEMU and storage": {
    files: [
      "tests/system/hangs_many_test.ts",
      "tests/system/hangs_qemu_test.ts",
      "tests/system/hangs_storage_test.ts",
      "tests/system/hangs_resolver_test.ts",
      "tests/system/hang_alerts_test.ts",
      "tests/system/storage_hang_test.ts",
      "tests/system/stream_hang_test.ts",
    ],
    rooms: [
      "ffi",
      "agent/libvirt",
      "agent/hosts/hangs.ts",
      "agent/hosts/hang_reports.ts",
      "agent/hosts/libvirt_hang.ts",
    ],
  },
  "accounts of the host by PAM": {
    files: [
      "tests/system/pam_test.ts",
      "tests/system/host_login_test.ts",
      "tests/system/host_account_again_test.ts",
    ],
    rooms: ["agent/access"],
  },
  "firmware, TPM and saved memory": {
    files: [
      "tests/system/tpm_state_test.ts",
      "tests/system/vm_nvram_test.ts",
      "tests/system/saved_memory_test.ts",
      "tests/system/pairs_saved_memory_test.ts",
      "tests/system/pairs_identity_second_test.ts",
      "tests/system/ntfs_state_test.ts",
    ],
    rooms: [
      "agent/vm/lifecycle",
      "agent/vm/update",
      "agent/vm/create",
      "agent/vm/snapshots",
      "agent/vm/saved_memory.ts",
    ],
  },
  "clones": {
    files: [
      "tests/system/clone_running_test.ts",
      "tests/system/vm_clone_identities_test.ts",
      "tests/system/vm_clone_job_test.ts",
      "tests/system/vm_copies_test.ts",
      "tests/system/vm_create_copy_test.ts",
      "tests/system/pairs_clone_ends_test.ts",
    ],
    rooms: ["agent/vm/lifecycle", "agent/vm/create"],
  },
  "the bin under faults": {
    files: ["tests/system/bin_faults_test.ts", "tests/system/pairs_bin_second_test.ts"],
    rooms: ["agent/bin", "agent/storage/bin", "agent/vm/lifecycle"],
  },
  "chains of images": {
    files: [
      "tests/system/image_chain_test.ts",
      "tests/system/image_lock_test.ts",
      "tests/system/pairs_built_on_test.ts",
      "tests/system/pairs_images_test.ts",
      "tests/system/pairs_old_qcow2_test.ts",
      "tests/system/pairs_gone_files_test.ts",
      "tests/system/missing_disk_test.ts",
      "tests/system/unseen_disks_test.ts",
    ],
    rooms: ["agent/storage", "agent/vm/lifecycle", "agent/vm/devices"],
  },
  "content of volumes, encryption": {
    files: [
      "tests/system/volume_content_test.ts",
      "tests/system/volume_luks_test.ts",
      "tests/system/pairs_luks_test.ts",
      "tests/system/volume_jobs_test.ts",
      "tests/system/packed_upload_test.ts",
    ],
    rooms: ["agent/storage"],
  },
  "moves of disks": {
    files: [
      "tests/system/move_disk_test.ts",
      "tests/system/move_disk_pivot_test.ts",
      "tests/system/move_disk_refused_test.ts",
    ],
    rooms: ["agent/vm/devices", "agent/storage"],
  },
  "limits of disks and network cards": {
    files: [
      "tests/system/disk_limits_test.ts",
      "tests/system/nic_limits_test.ts",
      "tests/system/nic_filter_test.ts",
    ],
    rooms: ["agent/vm/devices", "agent/network"],
  },
  "metrics under faults": {
    files: [
      "tests/system/metrics_faults_test.ts",
      "tests/system/metrics_export_test.ts",
      "tests/system/metrics_push_test.ts",
    ],
    rooms: ["agent/metrics"],
  },
  "the database under faults": {
    files: [
      "tests/system/database_faults_test.ts",
      "tests/system/data_folder_full_test.ts",
      "tests/system/data_folder_test.ts",
    ],
    rooms: ["agent/store"],
  },
  "guests over their agent": {
    files: [
      "tests/system/guest_folders_test.ts",
      "tests/system/guest_exec_test.ts",
      "tests/system/guest_figures_test.ts",
      "tests/system/guest_quiesce_test.ts",
      "tests/system/guest_migration_test.ts",
      "tests/system/guest_idle_test.ts",
      "tests/system/lying_agent_test.ts",
    ],
    rooms: ["agent/guest"],
  },
  "secrets at rest": {
    files: ["tests/system/sealed_secrets_test.ts", "tests/system/secrets_test.ts"],
    rooms: ["agent/sealing"],
  },
  "linked hosts in bad company": {
    files: [
      "tests/system/hostile_link_test.ts",
      "tests/system/linked_clock_test.ts",
      "tests/system/linked_paths_test.ts",
      "tests/system/linked_versions_test.ts",
    ],
    rooms: ["agent/hosts/linked"],
  },
  "hosts over SSH": {
    files: [
      "tests/system/add_host_test.ts",
      "tests/system/install_host_test.ts",
      "tests/system/ssh_host_test.ts",
    ],
    rooms: ["agent/hosts/ssh", "agent/hosts/install", "agent/hosts/credentials"],
  },
  "gRPC": { files: ["tests/system/grpc_test.ts"], rooms: ["agent/grpc", "lib/grpc"] },
  "maintenance of hosts that hang": {
    files: ["tests/system/maintenance_hangs_test.ts"],
    rooms: ["agent/maintenance", "agent/vm/migration"],
  },
  "lock manager, Open vSwitch": {
    files: ["tests/system/lock_manager_test.ts", "tests/system/openvswitch_test.ts"],
    rooms: ["agent/vm/lifecycle", "agent/network", "agent/storage"],
  },
  "definitions that others made": {
    files: [
      "tests/system/worst_xml_test.ts",
      "tests/system/odd_names_test.ts",
      "tests/system/others_files_test.ts",
      "tests/system/hostile_sizes_test.ts",
      "tests/system/no_usb_test.ts",
    ],
    rooms: ["lib/formats/xml", "agent/hosts/inventory", "agent/vm/others_files.ts"],
  },
  "cloud-init": {
    files: ["tests/system/cloud_init_test.ts", "tests/system/cloud_sign_in_test.ts"],
    rooms: ["agent/vm/cloud_init", "agent/vm/create"],
  },
};
