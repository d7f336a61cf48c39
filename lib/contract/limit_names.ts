/** The limits that disks and network interfaces have: plain lists, which pages load without any schema. */

/** Limits of a disk, as libvirt's `<iotune>` names them: `read_bytes_sec` is `readBytesSec`. */
export const DISK_LIMITS = [
  "totalBytesSec",
  "readBytesSec",
  "writeBytesSec",
  "totalIopsSec",
  "readIopsSec",
  "writeIopsSec",
  "totalBytesSecMax",
  "readBytesSecMax",
  "writeBytesSecMax",
  "totalIopsSecMax",
  "readIopsSecMax",
  "writeIopsSecMax",
  "totalBytesSecMaxLength",
  "readBytesSecMaxLength",
  "writeBytesSecMaxLength",
  "totalIopsSecMaxLength",
  "readIopsSecMaxLength",
  "writeIopsSecMaxLength",
] as const;
/** The most that QEMU takes for one of them. Source: THROTTLE_VALUE_MAX in QEMU's throttle.h. */
export const MOST_DISK_LIMIT = 1_000_000_000_000_000;

/** Limits of a network interface, as libvirt's `<bandwidth>` names them. */
export const NIC_LIMITS = [
  "inboundAverage",
  "inboundPeak",
  "inboundBurst",
  "outboundAverage",
  "outboundPeak",
  "outboundBurst",
] as const;
