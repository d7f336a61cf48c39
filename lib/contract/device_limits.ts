/** Limits of disks and network interfaces: the fields of their commands and answers, named as libvirt names them. */
import Type, { type Static, type TSchema } from "typebox";
import { emptyAs } from "./schema.ts";
import { type DISK_LIMITS, MOST_DISK_LIMIT, type NIC_LIMITS } from "./limit_names.ts";

/** A limit of a disk, by its field. */
export type DiskLimit = typeof DISK_LIMITS[number];
/** A limit of a network interface, by its field. */
export type NicLimit = typeof NIC_LIMITS[number];

/** Longest burst, in seconds: a day. */
const LONGEST_BURST = 86_400;
/** The most for an interface: 800 Gbit/s. */
const MOST_RATE = 100_000_000;

const NO_LIMIT = "0 for no limit";
const limit = (description: string, maximum = MOST_DISK_LIMIT) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum, description, ...emptyAs(0) }));
const bytes = (of: string) => limit(`bytes per second of ${of}; ${NO_LIMIT}`);
const operations = (of: string) => limit(`operations per second of ${of}; ${NO_LIMIT}`);
const burst = (of: string) => limit(`in bursts, instead of ${of}, which it is not below; 0 for no bursts`);
const length = (of: string) => limit(`seconds that a burst at ${of} may last; without it 1`, LONGEST_BURST);
const BOTH = "reads and writes together, which goes with no limit of either alone";

/** libvirt's `<iotune>`: `read_bytes_sec` is `readBytesSec`. */
export const DiskLimits = {
  totalBytesSec: bytes(BOTH),
  readBytesSec: bytes("reads"),
  writeBytesSec: bytes("writes"),
  totalIopsSec: operations(BOTH),
  readIopsSec: operations("reads"),
  writeIopsSec: operations("writes"),
  totalBytesSecMax: burst("totalBytesSec"),
  readBytesSecMax: burst("readBytesSec"),
  writeBytesSecMax: burst("writeBytesSec"),
  totalIopsSecMax: burst("totalIopsSec"),
  readIopsSecMax: burst("readIopsSec"),
  writeIopsSecMax: burst("writeIopsSec"),
  totalBytesSecMaxLength: length("totalBytesSecMax"),
  readBytesSecMaxLength: length("readBytesSecMax"),
  writeBytesSecMaxLength: length("writeBytesSecMax"),
  totalIopsSecMaxLength: length("totalIopsSecMax"),
  readIopsSecMaxLength: length("readIopsSecMax"),
  writeIopsSecMaxLength: length("writeIopsSecMax"),
} satisfies Record<DiskLimit, TSchema>;
const DiskLimitsObject = Type.Object(DiskLimits);
/** Limits of a disk; 0 or absent: unlimited. */
export type DiskLimitValues = Static<typeof DiskLimitsObject>;

/** tc, which libvirt has set them, counts 1,000 bytes. */
const rate = (what: string) =>
  limit(`${what}, in kilobytes (1,000 bytes) per second, of which 125 are 1 Mbit/s`, MOST_RATE);
const together = (peak: string) => limit(`KiB that may go at once${peak}; 0 leaves it to libvirt`, MOST_RATE);

/** libvirt's `<bandwidth>` of an interface, from the guest's view: inbound is what it receives, outbound what it sends. */
export const NicLimits = {
  inboundAverage: rate(`what the guest receives; ${NO_LIMIT}`),
  inboundPeak: rate("what the guest receives in bursts; 0 for no bursts"),
  inboundBurst: together(" to the guest"),
  outboundAverage: rate(`what the guest sends; ${NO_LIMIT}`),
  outboundPeak: rate(
    "what the guest sends in bursts, which libvirt keeps, but Linux does not use; 0 for none",
  ),
  outboundBurst: together(" from the guest"),
} satisfies Record<NicLimit, TSchema>;
const NicLimitsObject = Type.Object(NicLimits);
/** Limits of a network interface; 0 or absent: unlimited. */
export type NicLimitValues = Static<typeof NicLimitsObject>;
