/** A past made up for pages that show one: written through the store, as the collector writes, before a server starts. */
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { storeIn } from "./metrics.ts";
import { GIB, MIB } from "../../lib/text/byte_units.ts";

/** A series of the past. */
export interface PastSeries {
  /** Id of the VM; empty: the host. */
  readonly subject: string;
  readonly name: string;
  readonly label?: string;
  /** Its figure at a time, in seconds since 1970; NaN is a gap. */
  readonly at: (time: number) => number;
}

/** Seconds between figures: as the collector takes them in the last day, and fewer before, which saves the test's time. */
const INTERVAL = 30, FORMER_INTERVAL = 300;
const HOUR = 3600, DAY = 24 * HOUR;

/** Writes a past of so many days that ends now into a data folder. */
export function writePast(dataDir: string, series: readonly PastSeries[], days: number): void {
  using store = storeIn(dataDir);
  const ids = store.ask("register", {
    keys: series.map(({ subject, name, label = "" }) => ({ host: LOCAL_HOST, subject, name, label })),
  });
  const { generation } = store;
  const now = Math.floor(Date.now() / 1000 / FORMER_INTERVAL) * FORMER_INTERVAL, begin = now - days * DAY;
  const inOrder = [...ids.keys()].sort((a, b) => ids[a]! - ids[b]!);
  const until = Math.floor(Date.now() / 1000 / INTERVAL) * INTERVAL;
  for (let time = begin; time <= until;) {
    const known = inOrder.map((place) => ({ id: ids[place]!, figure: series[place]!.at(time) }))
      .filter(({ figure }) => !Number.isNaN(figure));
    store.ask("write", {
      time,
      generation,
      ids: Uint32Array.from(known, ({ id }) => id),
      figures: Float32Array.from(known, ({ figure }) => figure),
    });
    const next = time + (time < now - DAY ? FORMER_INTERVAL : INTERVAL);
    if (Math.floor(next / HOUR) !== Math.floor(time / HOUR)) {
      while (store.ask("pack", { now: next })) { /* the next part */ }
    }
    time = next;
  }
}

/** A wave between two figures, with some noise that is the same each time. @param period seconds */
export function wave(low: number, high: number, period: number, shift = 0): PastSeries["at"] {
  return (time) => {
    const noise = Math.abs(Math.sin(time * 12.9898 + shift) * 43758.5453) % 1;
    const swing = (Math.sin((time / period + shift) * 2 * Math.PI) + 1) / 2;
    return low + (high - low) * (swing * 0.7 + noise * 0.3);
  };
}

/** The past of a VM with two disks and a card, as the collector names them. @param shift makes it another VM's */
export function pastOfVm(subject: string, shift = 0): PastSeries[] {
  const disk = (label: string, much: number): PastSeries[] => [
    { subject, label, name: "disk_read_bytes", at: wave(0, 8 * MIB * much, 5400, shift) },
    { subject, label, name: "disk_write_bytes", at: wave(0, 3 * MIB * much, 3000, shift) },
    { subject, label, name: "disk_read_ops", at: wave(0, 240 * much, 5400, shift) },
    { subject, label, name: "disk_write_ops", at: wave(0, 120 * much, 3000, shift) },
    { subject, label, name: "disk_read_latency", at: wave(0.2, 4, 5400, shift) },
    { subject, label, name: "disk_write_latency", at: wave(0.5, 9, 3000, shift) },
  ];
  const nic = { subject, label: "52:54:00:12:34:56" };
  return [
    { subject, name: "cpu_usage", at: wave(4, 70, 7200, shift) },
    { subject, name: "cpu_steal", at: wave(0, 6, 4000, shift) },
    { subject, name: "memory_used", at: wave(1 * GIB, 1.6 * GIB, 20_000, shift) },
    { subject, name: "memory_balloon", at: () => 2 * GIB },
    { subject, name: "memory_rss", at: () => 1.9 * GIB },
    ...disk("vda", 1),
    ...disk("vdb", 0.2),
    { ...nic, name: "nic_rx_bytes", at: wave(0, 20 * MIB, 3600, shift) },
    { ...nic, name: "nic_tx_bytes", at: wave(0, 4 * MIB, 3600, shift) },
    { ...nic, name: "nic_rx_drops", at: () => 0 },
  ];
}

/** The past of the host, as the collector names it. */
export function pastOfHost(): PastSeries[] {
  const subject = "";
  const one = (name: string, at: PastSeries["at"], label?: string): PastSeries => ({
    subject,
    name,
    at,
    ...(label !== undefined && { label }),
  });
  return [
    one("cpu_usage", wave(10, 55, 7200)),
    one("cpu_iowait", wave(0, 8, 4000)),
    one("cpu_steal", () => 0),
    one("memory_used", wave(20 * GIB, 41 * GIB, 30_000)),
    one("memory_total", () => 64 * GIB),
    one("swap_used", () => 0),
    one("load_1", wave(0.5, 9, 3600)),
    one("load_5", wave(1, 7, 5000)),
    one("load_15", wave(2, 5, 9000)),
    one("pressure_cpu_some", wave(0, 12, 3600)),
    one("pressure_memory_some", () => 0),
    one("pressure_io_some", wave(0, 30, 5000)),
    one("disk_read_bytes", wave(0, 90 * MIB, 5400), "nvme0n1"),
    one("disk_write_bytes", wave(0, 60 * MIB, 4000), "nvme0n1"),
    one("disk_busy", wave(0, 60, 4000), "nvme0n1"),
    one("nic_rx_bytes", wave(0, 30 * MIB, 3600), "eno1"),
    one("nic_tx_bytes", wave(0, 9 * MIB, 3600), "eno1"),
    one("nic_rx_bytes", wave(0, 3 * MIB, 3600), "virbr0"),
    one("nic_tx_bytes", wave(0, 1 * MIB, 3600), "virbr0"),
    one("vms_running", () => 17),
  ];
}
