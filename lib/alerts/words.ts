/** What alerts watch, in words. Pure. */
import type { AlertRule, MetricUnit } from "../contract/mod.ts";
import { HOST_ALERT_SERIES, VM_ALERT_SERIES } from "../contract/alert_series.ts";
import { formatFigure } from "../text/figure.ts";
import { exactBytes } from "../text/quantity.ts";
import { oneLine } from "../text/text.ts";

/** Parts of series' names that are not words as they stand. */
const WORDS: Readonly<Record<string, string>> = {
  cpu: "CPU",
  vcpu: "vCPU",
  io: "I/O",
  iowait: "I/O wait",
  nic: "network",
  rx: "receive",
  tx: "send",
  ops: "operations",
  rss: "resident size",
  vms: "VMs",
};

/** The name of a series as people read it: `nic_rx_bytes` → `network receive bytes`. */
export function seriesWord(series: string): string {
  return series.split("_").map((part) => WORDS[part] ?? part).join(" ");
}

const plain = (value: number) => String(Math.round(value * 10) / 10);

/** The unit of a series of an alert; undefined where it watches a state. */
export function unitOf({ watches, series }: Pick<AlertRule, "watches" | "series">): MetricUnit | undefined {
  if (series === undefined) return undefined;
  return (watches === "vm_metric" ? VM_ALERT_SERIES : HOST_ALERT_SERIES)[series]?.unit;
}

/** A figure of an alert in words. */
export function figureWord(rule: Pick<AlertRule, "watches" | "series">, value: number): string {
  const unit = unitOf(rule);
  return unit === undefined ? plain(value) : formatFigure(unit, value);
}

/** A figure of an alert as it is typed into its form: to the byte where it is of bytes. */
export function typedFigure(rule: Pick<AlertRule, "watches" | "series">, value: number): string {
  const isBytes = unitOf(rule)?.startsWith("bytes");
  return isBytes ? exactBytes(value) : String(value);
}

/** Longest name of a part or a VM in a sentence. */
const LONGEST = 64;
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** What was seen, as a sentence without the name of what it is about. @param detail what there is a sentence of already */
export function incidentMessage(rule: AlertRule, value: number, label: string, detail = ""): string {
  switch (rule.watches) {
    case "vm_metric":
    case "host_metric": {
      const of = label === "" ? "" : ` of ${oneLine(label, LONGEST)}`;
      const limit = `${rule.comparison} ${figureWord(rule, rule.threshold ?? 0)}`;
      return `${capital(seriesWord(rule.series ?? ""))}${of} is ${figureWord(rule, value)}, ${limit}`;
    }
    case "vm_crashed":
      return "The VM crashed. Look at its log, then start it again";
    case "vm_disk_error":
      return "A disk failed to read or write: it may be full or gone";
    case "guest_agent_silent":
      return "The guest agent does not answer any more";
    case "host_connection_lost":
      return "libvirt on this host does not answer";
    case "not_responding":
      return detail;
    case "certificate_ends":
      return value < 0
        ? "The TLS certificate has expired"
        : `The TLS certificate expires in ${plain(value)} days`;
    case "backup_failed": {
      const of = `The last run of the backup job ${oneLine(label, LONGEST)}`;
      return value > 0 ? `${of} failed for ${plain(value)} VM${value === 1 ? "" : "s"}` : `${of} failed`;
    }
    case "schedule_failed": {
      const of = `The last run of the schedule ${oneLine(label, LONGEST)}`;
      return value > 0 ? `${of} failed for ${plain(value)} VM${value === 1 ? "" : "s"}` : `${of} failed`;
    }
    case "coverage_lost":
    case "replica_late":
      return detail;
    case "backup_old":
      return Number.isFinite(value)
        ? `The newest backup of the VM is ${plain(value)} days old`
        : "There is no backup of the VM";
    case "backup_test_failed":
      return `${plain(value)} backup${value === 1 ? "" : "s"} of the last run of the backup job ${
        oneLine(label, LONGEST)
      } did not pass verification or the boot test`;
  }
}
