/** Calls that move running domains to another host. */
import type { Connection } from "../connection.ts";
import { libvirt, ok, takeString } from "../library.ts";
import { cString } from "../memory.ts";
import { withMixedParams } from "../typed_params.ts";
import { domainStatsOne } from "./stats.ts";
import { JOB, jobStats } from "./job.ts";

/** `virDomainMigrateFlags` */
const FLAGS = {
  LIVE: 1,
  PEER2PEER: 2,
  PERSIST_DEST: 8,
  UNDEFINE_SOURCE: 16,
  NON_SHARED_DISK: 64,
  CHANGE_PROTECTION: 256,
  UNSAFE: 512,
  COMPRESSED: 2048,
  ABORT_ON_ERROR: 4096,
  AUTO_CONVERGE: 8192,
  TLS: 1 << 16,
  PARALLEL: 1 << 17,
} as const;
/** `virDomainJobOperation`: outgoing migration. */
const OPERATION_MIGRATION_OUT = 5;
/** `VIR_DOMAIN_XML_SECURE`, `VIR_DOMAIN_XML_INACTIVE`, `VIR_DOMAIN_XML_MIGRATABLE` */
const XML = { SECURE: 1, INACTIVE: 2, MIGRATABLE: 8 } as const;

/** XML of a domain for another host. */
export interface MigratableXml {
  /** As it runs. */
  readonly live: string;
  /** As it starts next. */
  readonly next: string;
}

/** A domain's definitions for another host, with passwords. Source: virDomainGetXMLDesc. */
export function domainMigratableXml(connection: Connection, { uuid }: { uuid: string }): MigratableXml {
  using domain = connection.domain(uuid);
  const read = (flags: number) =>
    takeString(
      libvirt().symbols.virDomainGetXMLDesc(domain.pointer, XML.SECURE | XML.MIGRATABLE | flags),
    );
  return { live: read(0), next: read(XML.INACTIVE) };
}

/** How a running domain moves. */
export interface DomainMigration {
  readonly uuid: string;
  /** URI of the other libvirt, as this host's libvirtd connects to it. */
  readonly to: string;
  /** URIs at which QEMU there takes memory, and disks; null: a port of libvirt's choice at the host of the former. */
  readonly memoryUri: string;
  readonly disksUri: string | null;
  /** Encrypted by QEMU itself, with the certificates that it has on both hosts. */
  readonly tls: boolean;
  /** Definitions that it has there. */
  readonly live: string;
  readonly next: string;
  /** Targets of disks whose content is copied; the others are shared. */
  readonly disks: readonly string[];
  /** MiB per second at most; null: as fast as it goes. */
  readonly bandwidth: number | null;
  /** A guest that changes its memory faster than it is sent is slowed down. */
  readonly autoConverge: boolean;
  /** Connections that memory is sent by at once (QEMU's multifd); null: one, as always. */
  readonly connections: number | null;
  /** How memory is compressed, in libvirt's words; null: not at all. */
  readonly compression: string | null;
  /** Cache modes of its shared disks, which libvirt takes for dangerous, were judged before. */
  readonly unsafe: boolean;
}

/**
 * Moves a running domain to another host; returns once it runs there and is gone here, or still is here.
 * Source: virDomainMigrateToURI3.
 */
export function domainMigrate(connection: Connection, migration: DomainMigration): null {
  const { uuid, to, memoryUri, disksUri, live, next, disks, bandwidth, autoConverge, unsafe, tls } =
    migration;
  const { connections, compression } = migration;
  using domain = connection.domain(uuid);
  const params = [
    ["migrate_uri", memoryUri] as const,
    ["destination_xml", live] as const,
    ["persistent_xml", next] as const,
    ...disks.length > 0
      ? [
        ...disksUri === null ? [] : [["disks_uri", disksUri] as const],
        ...disks.map((target) => ["migrate_disks", target] as const),
      ]
      : [],
    ...bandwidth === null ? [] : [["bandwidth", BigInt(bandwidth)] as const],
    ...connections === null ? [] : [["parallel.connections", connections] as const],
    ...compression === null ? [] : [["compression", compression] as const],
  ];
  const { LIVE, PEER2PEER, PERSIST_DEST, UNDEFINE_SOURCE, CHANGE_PROTECTION, ABORT_ON_ERROR } = FLAGS;
  const flags = LIVE | PEER2PEER | PERSIST_DEST | UNDEFINE_SOURCE | CHANGE_PROTECTION | ABORT_ON_ERROR |
    (disks.length > 0 ? FLAGS.NON_SHARED_DISK : 0) |
    (autoConverge ? FLAGS.AUTO_CONVERGE : 0) |
    (connections === null ? 0 : FLAGS.PARALLEL) |
    (compression === null ? 0 : FLAGS.COMPRESSED) |
    (tls ? FLAGS.TLS : 0) |
    (unsafe ? FLAGS.UNSAFE : 0);
  const { virDomainMigrateToURI3 } = libvirt().symbols;
  withMixedParams(
    params,
    (bytes, count) => ok(virDomainMigrateToURI3(domain.pointer, cString(to), bytes, count, flags)),
  );
  return null;
}

/** Lets a domain that moves stand still for longer at the end. @param ms milliseconds Source: virDomainMigrateSetMaxDowntime. */
export function migrationDowntime(connection: Connection, { uuid, ms }: { uuid: string; ms: number }): null {
  using domain = connection.domain(uuid);
  ok(libvirt().symbols.virDomainMigrateSetMaxDowntime(domain.pointer, BigInt(ms), 0));
  return null;
}

/**
 * Begins to measure how fast a running domain changes its memory.
 *
 * @returns false where this libvirt (below 7.2) cannot
 * Source: virDomainStartDirtyRateCalc.
 */
export function dirtyRateStart(
  connection: Connection,
  { uuid, seconds }: { uuid: string; seconds: number },
): boolean {
  const { virDomainStartDirtyRateCalc } = libvirt().symbols;
  if (virDomainStartDirtyRateCalc === null) return false;
  using domain = connection.domain(uuid);
  ok(virDomainStartDirtyRateCalc(domain.pointer, seconds, 0));
  return true;
}

/** `virDomainDirtyRateStatus`: measured. */
const MEASURED = 2;

/**
 * Measured rate in bytes per second; null while the measurement runs, and without one. Source: virDomainListGetStats.
 */
export function dirtyRate(connection: Connection, { uuid }: { uuid: string }): number | null {
  const stats = domainStatsOne(connection, { uuid, groups: ["dirtyrate"] })?.params ?? {};
  const { "dirtyrate.calc_status": status, "dirtyrate.megabytes_per_second": rate } = stats;
  return status === MEASURED && typeof rate === "number" ? rate * 1024 ** 2 : null;
}

/** How far a domain's move is. Bytes, milliseconds. */
export interface MigrationProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly remainingBytes: number;
  /** Bytes per second that memory is sent at; null until QEMU has measured that. */
  readonly memoryRate: number | null;
  /** Times that memory was gone through: each time, what changed meanwhile is sent again. */
  readonly rounds: number;
  /** How long the guest will stand still at the end, as QEMU expects; null until it does. */
  readonly downtimeMs: number | null;
}

/** How far a domain's move to another host is; null where it does not move. Source: virDomainGetJobStats. */
export function migrationProgress(
  connection: Connection,
  { uuid }: { uuid: string },
): MigrationProgress | null {
  using domain = connection.domain(uuid);
  const { type, stats } = jobStats(domain.pointer, 0);
  if (type === JOB.NONE || stats.operation !== OPERATION_MIGRATION_OUT) return null;
  const number = (name: string) => typeof stats[name] === "number" ? stats[name] : null;
  return {
    doneBytes: number("data_processed") ?? 0,
    totalBytes: number("data_total") ?? 0,
    remainingBytes: number("data_remaining") ?? 0,
    memoryRate: number("memory_bps"),
    rounds: number("memory_iteration") ?? 0,
    downtimeMs: number("downtime"),
  };
}
