/**
 * Figures of this host by the kernel's files, as one reading. Files that cannot be read are left out: their
 * series have a gap. Sources: proc(5), the kernel's admin-guide/iostats, accounting/psi,
 * hwmon/sysfs-interface.
 */
import { spaceOf } from "../../lib/storage/pool_space.ts";
import { type HostSeriesName, MOST_LABEL } from "../../lib/contract/metric_series.ts";
import {
  type FigureSource,
  numberIn,
  type Reading,
  type SourceRow,
  sourcesOf,
} from "../../lib/metrics/metric_sampler.ts";
import { oneLine } from "../../lib/text/text.ts";
import { KIB } from "../../lib/text/byte_units.ts";

/** Disks, cards, pools and sensors of which figures are kept, of each kind. */
const MOST_PARTS = 64;
const SECTOR = 512;
/** Separator of the words of a key. */
export const SECTION = "\u0000";

type Values = Record<string, number>;

/** `cpu  user nice system idle iowait irq softirq steal …`, in ticks. Guests' time is in user and nice already. */
export function readStat(text: string): Values {
  const line = /^cpu\s+(.*)$/m.exec(text)?.[1];
  if (line === undefined) return {};
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = line.split(
    /\s+/,
  ).map(Number);
  const busy = user + nice + system + irq + softirq + steal;
  return { "cpu.busy": busy, "cpu.iowait": iowait, "cpu.steal": steal, "cpu.all": busy + idle + iowait };
}

/** `MemTotal:  16384 kB` and so on, in bytes. */
export function readMeminfo(text: string): Values {
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? NaN) * KIB;
  const total = kib("MemTotal"), swap = kib("SwapTotal");
  return {
    "memory.total": total,
    "memory.used": total - kib("MemAvailable"),
    "swap.total": swap,
    "swap.used": swap - kib("SwapFree"),
  };
}

/** `0.20 0.18 0.12 1/80 11206` */
export function readLoadavg(text: string): Values {
  const [one, five, fifteen] = text.split(" ").map(Number);
  return { "load.1": one ?? NaN, "load.5": five ?? NaN, "load.15": fifteen ?? NaN };
}

/** `some avg10=0.00 avg60=0.00 avg300=0.00 total=123`: microseconds. */
export function readPressure(name: string, text: string): Values {
  const found = [...text.matchAll(/^(some|full) .*total=(\d+)/gm)];
  return Object.fromEntries(found.map(([, kind, total]) => [`pressure.${name}.${kind}`, Number(total)]));
}

/** Whole disks: no partitions, no files or memory that look like one, no parts of something else. */
const NO_DISK = /^(loop|ram|zram|sr|fd|dm-|md|nbd)/;

/** @param disks names of whole disks */
export function readDiskstats(text: string, disks: ReadonlySet<string>): Values {
  const values: Values = {};
  for (const line of text.split("\n")) {
    const [, , name = "", reads, , sectorsRead, readMs, writes, , sectorsWritten, writeMs, , busyMs] = line
      .trim().split(/\s+/);
    if (!disks.has(name)) continue;
    const at = `disk${SECTION}${name}${SECTION}`;
    values[`${at}rd.reqs`] = Number(reads);
    values[`${at}rd.bytes`] = Number(sectorsRead) * SECTOR;
    values[`${at}rd.ms`] = Number(readMs);
    values[`${at}wr.reqs`] = Number(writes);
    values[`${at}wr.bytes`] = Number(sectorsWritten) * SECTOR;
    values[`${at}wr.ms`] = Number(writeMs);
    values[`${at}busy`] = Number(busyMs);
  }
  return values;
}

/** The host's own cards, bridges and bonds: no loopback, no ends of VMs' and containers' cards. */
const NO_NIC = /^(lo|vnet|tap|macvtap|veth|ifb|kvmmf|virbr\d+-nic|ovs-)/;

export function readNetDev(text: string): Values {
  const values: Values = {};
  for (const [, name = "", rest = ""] of text.matchAll(/^\s*([^\s:]+):\s*(.*)$/gm)) {
    if (NO_NIC.test(name)) continue;
    const [rxBytes, rxPackets, rxErrors, rxDrops, , , , , txBytes, txPackets, txErrors, txDrops] = rest.split(
      /\s+/,
    ).map(Number);
    const at = `nic${SECTION}${name}${SECTION}`;
    const counters = { rxBytes, rxPackets, rxErrors, rxDrops, txBytes, txPackets, txErrors, txDrops };
    for (const [counter, value] of Object.entries(counters)) values[at + counter] = value ?? NaN;
  }
  return values;
}

/** A pool, as the inventory has it. */
export interface PoolFigures {
  readonly name: string;
  /** libvirt's number; 2 and 3 have figures. */
  readonly state: number;
  readonly capacity: number;
  readonly allocation: number;
  readonly available: number;
}

/** Bytes of the pools that are active, and of which they are known. */
export function readPools(pools: readonly PoolFigures[]): Values {
  return Object.fromEntries(
    pools.filter(({ state }) => state === 2 || state === 3).flatMap(({ name, ...figures }) => {
      const space = spaceOf(figures);
      return space === undefined ? [] : [
        [`pool${SECTION}${name}${SECTION}used`, space.allocation],
        [`pool${SECTION}${name}${SECTION}capacity`, space.capacity],
      ];
    }),
  );
}

/** Sources of the figures of series. */
type Rows = Readonly<Partial<Record<HostSeriesName, SourceRow>>>;

const WHOLE: Rows = {
  cpu_usage: ["ratio", "cpu.busy", 100, "cpu.all"],
  cpu_iowait: ["ratio", "cpu.iowait", 100, "cpu.all"],
  cpu_steal: ["ratio", "cpu.steal", 100, "cpu.all"],
  memory_used: ["gauge", "memory.used"],
  memory_total: ["gauge", "memory.total"],
  swap_used: ["gauge", "swap.used"],
  swap_total: ["gauge", "swap.total"],
  load_1: ["gauge", "load.1"],
  load_5: ["gauge", "load.5"],
  load_15: ["gauge", "load.15"],
  vms_running: ["gauge", "vms.running"],
  pressure_cpu_some: ["share", "pressure.cpu.some", 1e-4],
  pressure_memory_some: ["share", "pressure.memory.some", 1e-4],
  pressure_memory_full: ["share", "pressure.memory.full", 1e-4],
  pressure_io_some: ["share", "pressure.io.some", 1e-4],
  pressure_io_full: ["share", "pressure.io.full", 1e-4],
};

/** By the word in front of a part's name. */
const OF_PART: Readonly<Record<string, Rows>> = {
  disk: {
    disk_read_bytes: ["counter", "rd.bytes"],
    disk_write_bytes: ["counter", "wr.bytes"],
    disk_read_ops: ["counter", "rd.reqs"],
    disk_write_ops: ["counter", "wr.reqs"],
    disk_read_latency: ["ratio", "rd.ms", 1, "rd.reqs"],
    disk_write_latency: ["ratio", "wr.ms", 1, "wr.reqs"],
    disk_busy: ["share", "busy", 0.1],
  },
  nic: {
    nic_rx_bytes: ["counter", "rxBytes"],
    nic_tx_bytes: ["counter", "txBytes"],
    nic_rx_packets: ["counter", "rxPackets"],
    nic_tx_packets: ["counter", "txPackets"],
    nic_rx_drops: ["counter", "rxDrops"],
    nic_tx_drops: ["counter", "txDrops"],
    nic_rx_errors: ["counter", "rxErrors"],
    nic_tx_errors: ["counter", "txErrors"],
  },
  pool: { pool_used: ["gauge", "used"], pool_capacity: ["gauge", "capacity"] },
  sensor: { temperature: ["gauge", "milli", 1e-3] },
};

/** Names of a reading's parts of one kind, in order. */
function partsIn(reading: Reading, kind: string): string[] {
  const found = new Set<string>();
  for (const key of Object.keys(reading)) {
    const [own, name] = key.split(SECTION);
    if (own === kind && name !== undefined && found.size < MOST_PARTS) found.add(name);
  }
  return [...found].sort();
}

/** Changes when the host has other parts than before. */
export function hostLayout(reading: Reading): string {
  return Object.keys(OF_PART).map((kind) => partsIn(reading, kind).join("\n")).join("\n\n");
}

/** Sources of a host's series: those that its reading has. */
export function hostSources(reading: Reading): FigureSource[] {
  const whole = sourcesOf(WHOLE).filter(({ from }) => !Number.isNaN(numberIn(reading, String(from))));
  return [
    ...whole,
    ...Object.entries(OF_PART).flatMap(([kind, table]) =>
      partsIn(reading, kind).flatMap((name) =>
        sourcesOf(table, oneLine(name, MOST_LABEL - 1), `${kind}${SECTION}${name}${SECTION}`)
      )
    ),
  ];
}

/** The text of a file of the kernel's; undefined where it does not have it, or not for us. */
async function kernelText(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return undefined; // an old kernel, a container, a sensor that does not answer: its series have a gap
  }
}

async function names(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  } catch {
    return []; // as above
  }
}

/** Sensors of temperature: their names, and the files that tell it, in thousandths of a degree. */
async function temperatureFiles(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const chip of await names("/sys/class/hwmon")) {
    const folder = `/sys/class/hwmon/${chip}`, own = (await kernelText(`${folder}/name`))?.trim() ?? chip;
    for (const file of (await names(folder)).filter((each) => /^temp\d+_input$/.test(each))) {
      const label = (await kernelText(`${folder}/${file.replace("_input", "_label")}`))?.trim() ??
        file.slice(0, -6);
      if (found.size < MOST_PARTS) found.set(`${own} ${label}`, `${folder}/${file}`);
    }
  }
  return found;
}

/** Reads this host, again and again. */
export class HostReader {
  #sensors: ReadonlyMap<string, string> | undefined;

  async read(): Promise<Values> {
    const disks = new Set((await names("/sys/block")).filter((name) => !NO_DISK.test(name)));
    this.#sensors ??= await temperatureFiles();
    const readers: readonly (readonly [path: string, read: (text: string) => Values])[] = [
      ["/proc/stat", readStat],
      ["/proc/meminfo", readMeminfo],
      ["/proc/loadavg", readLoadavg],
      ["/proc/diskstats", (text) => readDiskstats(text, disks)],
      ["/proc/net/dev", readNetDev],
      ...["cpu", "memory", "io"].map((name) =>
        [`/proc/pressure/${name}`, (text: string) => readPressure(name, text)] as const
      ),
      ...[...this.#sensors].map(([name, path]) =>
        [path, (text: string) => ({ [`sensor${SECTION}${name}${SECTION}milli`]: Number(text) })] as const
      ),
    ];
    const parts = await Promise.all(readers.map(async ([path, read]) => {
      const text = await kernelText(path);
      return text === undefined ? {} : read(text);
    }));
    return Object.assign({}, ...parts);
  }
}
