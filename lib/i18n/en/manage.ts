/** Texts of renaming, cloning, importing, and of what goes when a machine is deleted. */
export const manage = {
  "manage.cancel": "Cancel",
  "manage.name": "Name",
  "manage.name_hint": "1–64 letters, digits, dashes and underscores; no digit first.",

  "manage.rename_title": "Rename {name}",
  "manage.rename_what": "Its disks, UUID and addresses stay as they are. Their files keep their names.",
  "manage.rename_do": "Rename",
  "manage.rename_doing": "Renaming…",

  "manage.clone_title": "Clone {name}",
  "manage.clone_what":
    "The copy gets a UUID and MAC addresses of its own. CDs and shared disks are used by both.",
  "manage.clone_do": "Clone",
  "manage.clone_doing": "Cloning… Large disks take a while. This goes on when you leave the page.",
  "manage.clone_kind": "Disks",
  "manage.clone_full": "Full copy",
  "manage.clone_full_what": "The copy stands on its own. Takes time and space.",
  "manage.clone_linked": "Linked",
  "manage.clone_linked_what":
    "Made at once, keeps only what changes. Needs the original's disks: do not start the original again while linked clones exist, or they break.",

  "manage.import_title": "Import a machine",
  "manage.import_what":
    "Defines a machine from libvirt XML, for example one exported here. Its disks must be on this host already. Nothing is started.",
  "manage.import_file": "XML file",
  "manage.import_xml": "or its text",
  "manage.import_name": "Name, if not the one in the XML",
  "manage.import_new_id": "New UUID",
  "manage.import_new_macs": "New MAC addresses",
  "manage.import_allow_missing": "Also when disks are missing",
  "manage.import_do": "Import",
  "manage.import_doing": "Importing…",
  "manage.import_empty": "Choose a file, or paste the XML.",

  "manage.plan_loading": "Looking at its disks…",
  "manage.plan_failed": "Its disks could not be looked at, so none of them can be deleted here.",
  "manage.plan_disks": "Also delete these disks? Their data is gone for good.",
  "manage.plan_kept": "These stay:",
  "manage.plan_kept_why": "stays: {reason}",
  "manage.plan_pool": "pool {pool}",
  "manage.plan_size": "{size} on this host",
  "manage.plan_also": "Also lost with the machine:",
  "manage.plan_snapshots.one": "{n} snapshot's record",
  "manage.plan_snapshots.other": "{n} snapshots' records",
  "manage.plan_checkpoints.one": "{n} backup checkpoint",
  "manage.plan_checkpoints.other": "{n} backup checkpoints",
  "manage.plan_saved": "its saved memory",
  "manage.plan_nvram": "its UEFI variables: {path}",
} as const;
