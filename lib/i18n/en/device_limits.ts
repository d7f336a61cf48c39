/** Texts of the limits of a VM's disks and network interfaces. */
export const deviceLimits = {
  "limits.title": "Limits",
  "limits.bursts": "Bursts",
  "limits.none": "No limit",
  "limits.disk_what":
    "What the guest may read and write at most, so that other VMs get their share. Empty for no limit. They apply at once.",
  "limits.disk_total": "Limit reads and writes together, or each by itself.",
  "limits.burst_what":
    "For a while the guest may go beyond a limit, after it has stayed below. An empty length is a second.",

  "field.totalBytesSec": "Total throughput",
  "field.readBytesSec": "Read throughput",
  "field.writeBytesSec": "Write throughput",
  "field.totalIopsSec": "Total operations",
  "field.readIopsSec": "Read operations",
  "field.writeIopsSec": "Write operations",
  "field.totalBytesSecMax": "Total throughput in bursts",
  "field.readBytesSecMax": "Read throughput in bursts",
  "field.writeBytesSecMax": "Write throughput in bursts",
  "field.totalIopsSecMax": "Total operations in bursts",
  "field.readIopsSecMax": "Read operations in bursts",
  "field.writeIopsSecMax": "Write operations in bursts",
  "field.totalBytesSecMaxLength": "Length of total throughput bursts",
  "field.readBytesSecMaxLength": "Length of read throughput bursts",
  "field.writeBytesSecMaxLength": "Length of write throughput bursts",
  "field.totalIopsSecMaxLength": "Length of total operation bursts",
  "field.readIopsSecMaxLength": "Length of read operation bursts",
  "field.writeIopsSecMaxLength": "Length of write operation bursts",

  "limits.nic_what":
    "Empty for no limit. They apply at once where libvirt can. User networking takes no limits.",
  "field.inboundAverage": "Inbound",
  "hint.inboundAverage": "What the guest receives.",
  "field.inboundPeak": "Inbound in bursts",
  "field.inboundBurst": "Inbound burst size",
  "field.outboundAverage": "Outbound",
  "hint.outboundAverage": "What the guest sends.",
  "field.outboundPeak": "Outbound in bursts",
  "field.outboundBurst": "Outbound burst size",

  "limits.list_total": "limit {limits}",
  "limits.list_read": "read limit {limits}",
  "limits.list_write": "write limit {limits}",
  "limits.list_operations": "{n} IOPS",
  "limits.list_burst": "{limit} (bursts {most})",
  "limits.list_inbound": "limit in {limit}",
  "limits.list_outbound": "limit out {limit}",
} as const;
