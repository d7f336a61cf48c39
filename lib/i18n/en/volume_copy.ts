/** The page that copies a volume to another host. */
export const volumeCopyPage = {
  "volume_copy.title": "Copy {name} to another host",
  "volume_copy.what":
    "The content travels through this KVM Manager and is checked on arrival. When a line breaks, the copy continues where it stopped. The volume itself stays as it is.",
  "volume_copy.to": "Copy to",
  "volume_copy.next": "Next",
  "volume_copy.to_host": "To {host}",
  "volume_copy.other_host": "Choose another host",
  "volume_copy.pool": "Storage pool",
  "volume_copy.pool_choice": "{pool}, {free} free",
  "volume_copy.no_pool": "{host} has no started storage pool that takes files.",
  "volume_copy.name": "Name of the copy",
  "volume_copy.based":
    "This volume is built on {path}. Clone it first: the clone stands alone and can be copied.",
  "volume_copy.clone": "Clone",
  "volume_copy.none": "No other host",
  "volume_copy.none_what":
    "A volume is copied to another host that this KVM Manager manages. Add one in Settings → Hosts.",
  "volume_copy.hosts": "Hosts",
  "volume_copy.cancel": "Cancel",
  "volume_copy.do": "Copy",
} as const;
