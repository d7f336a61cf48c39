/** Texts of the pages on images. */
export const images = {
  "images.tabs": "Images",
  "images.here": "On this host",
  "images.catalog": "Catalogue",
  "images.rules": "Download policy",
  "images.add": "Add from a URL",
  "images.upload": "Upload",
  "images.list": "ISOs and disk images",
  "images.count.one": "{n} image",
  "images.count.other": "{n} images",
  "images.none": "No images yet",
  "images.none_what":
    "ISOs to install from, and disk images to build VMs on, wherever they lie in the storage pools. Take a " +
    "ready one from the catalogue, or add one from a URL.",
  "images.none_match": "No image matches",
  "images.unread": "Not everything is shown.",
  "images.unread_what": "These storage pools do not answer: {pools}",
  "images.search": "Search images",
  "images.filter": "Kind of image",
  "images.kind_library": "Library",
  "images.kind_iso": "ISOs",
  "images.kind_disk": "Disk images",
  "images.kind_free": "Not used",
  "images.vm_disks": "Show disks of VMs",
  "images.iso": "ISO",

  "images.name": "Name",
  "images.pool": "Storage pool",
  "images.os": "System",
  "images.size": "Size",
  "images.virtual": "virtual size {size}",
  "images.used_by": "Used by",
  "images.base": "others are built on it",
  "images.actions": "Actions",
  "images.copy": "Copy to another host…",
  "images.copy_of": "Copy to another host: {name}",
  "images.delete": "Delete",
  "images.new_vm": "Create VM",
  "images.new_vm_from": "Create VM from {name}",
  "images.verb_of": "{verb} {name}",
  "images.cancel": "Cancel",
  "images.pages": "Pages of images",
  "images.delete_title": "Delete {name}?",
  "images.delete_what": "{name} in the pool {pool} and everything in it is deleted. This cannot be undone.",
  "images.downloads": "Downloads",

  "images.add_title": "Add an image from a URL",
  "field.download_image.url": "URL",
  "hint.download_image.url":
    "Of an ISO, a qcow2 or raw image; http or https. gzip, xz, zstd and bzip2 are unpacked on the way.",
  "field.download_image.name": "Name in the pool",
  "hint.download_image.name": "Empty: the name at the end of the URL.",
  "field.download_image.sha256": "Checksum",
  "hint.download_image.sha256":
    "SHA-256 or SHA-512 in hex, or the URL of a published file: SHA256SUMS, CHECKSUM, NAME.sha512.",
  "field.download_image.unpack": "Unpack it",
  "images.download": "Download",

  "images.catalog_what":
    "Cloud images of the distributions: small, ready to boot, set up by cloud-init. Each is checked against its published checksum." +
    "published checksum.",
  "images.catalog_failed": "The catalogue could not be read.",
  "images.catalog_none": "The catalogue is empty",
  "images.catalog_into": "Into the pool",
  "images.catalog_other": "Other architectures",
  "images.user": "User",
  "images.from": "From",
  "images.published": "Published",
  "images.have": "In {pool}",

  "images.rules_what":
    "Downloads are made by this host. Private addresses – this host itself, its neighbours, your own networks – are used only if they are listed here." +
    "one's own – are asked only when they are named here.",
  "images.internet": "Download from the internet",
  "images.hosts": "Also allowed",
  "images.hosts_hint":
    "One a line: an address, a subnet, a host or *.domain. Names lead to public addresses only.",
  "images.private_names": "Let these names resolve to private addresses",
  "images.private_names_hint":
    "For mirrors in your own network, with names of your own DNS. This host itself stays excluded.",
  "images.max_image": "Largest file, unpacked",
  "images.max_virtual": "Largest disk, as a guest sees it",
  "images.linked": "Keep images that name other files, or are of foreign formats",
  "images.linked_hint":
    "Such an image can make a VM read files of this host. VMs are still not given it unchecked.",
  "images.save": "Save",
} as const;
