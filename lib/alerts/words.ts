/** Texts for the conditions that alerts watch. Pure. */
import type { AlertRule, MetricUnit } from "../contract/mod.ts";
import { HOST_ALERT_SERIES, VM_ALERT_SERIES } from "../contract/alert_series.ts";
import { translated } from "../i18n/locale.ts";
import { message, type Sentence } from "../i18n/message.ts";
import { withDecimalSign } from "../i18n/numbers.ts";
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

/** The name of a series in English, the key of its translations: `nic_rx_bytes` → `Network receive bytes`. */
export function seriesPhrase(series: string): string {
  const phrase = series.split("_").map((part) => WORDS[part] ?? part).join(" ");
  return phrase.startsWith("vCPU") ? phrase : phrase.charAt(0).toUpperCase() + phrase.slice(1);
}

/** The name of a series as people read it. */
export const seriesWord = (series: string): string => translated(seriesPhrase(series));

const plain = (value: number) => withDecimalSign(String(Math.round(value * 10) / 10));

/** The unit of a series of an alert; undefined where it watches a state. */
export function seriesUnit(
  { watches, series }: Pick<AlertRule, "watches" | "series">,
): MetricUnit | undefined {
  if (series === undefined) return undefined;
  return (watches === "vm_metric" ? VM_ALERT_SERIES : HOST_ALERT_SERIES)[series]?.unit;
}

/** A figure of an alert in words. */
export function figureWord(rule: Pick<AlertRule, "watches" | "series">, value: number): string {
  const unit = seriesUnit(rule);
  return unit === undefined ? plain(value) : formatFigure(unit, value);
}

/** A figure of an alert as it is typed into its form: to the byte where it is of bytes. */
export function typedFigure(rule: Pick<AlertRule, "watches" | "series">, value: number): string {
  const isBytes = seriesUnit(rule)?.startsWith("bytes");
  return isBytes ? exactBytes(value) : String(value);
}

/** Longest name of a part or a VM in a sentence. */
const LONGEST = 64;

/** Messages for a failed run, with the number of VMs it failed for. */
const RUN_FAILED = {
  backup_failed: {
    whole: (name: string) => message`The last run of the backup job ${name} failed`,
    one: (name: string) => message`The last run of the backup job ${name} failed for 1 VM`,
    other: (name: string, n: string) => message`The last run of the backup job ${name} failed for ${n} VMs`,
  },
  schedule_failed: {
    whole: (name: string) => message`The last run of the schedule ${name} failed`,
    one: (name: string) => message`The last run of the schedule ${name} failed for 1 VM`,
    other: (name: string, n: string) => message`The last run of the schedule ${name} failed for ${n} VMs`,
  },
} as const;

/** Messages for a figure beyond its threshold, without and with the part it belongs to. */
const BEYOND = {
  above: [
    { $text: "{what} is {value}, above {limit}" },
    { $text: "{what} of {name} is {value}, above {limit}" },
  ],
  below: [
    { $text: "{what} is {value}, below {limit}" },
    { $text: "{what} of {name} is {value}, below {limit}" },
  ],
} as const;

/** A figure beyond its threshold, which does not look like the threshold: tenths of a percent are shown where whole ones are equal. */
function beyondWord(rule: AlertRule, value: number): string {
  const word = figureWord(rule, value), { threshold = 0, comparison } = rule;
  if (seriesUnit(rule) !== "percent" || value === threshold || word !== figureWord(rule, threshold)) {
    return word;
  }
  const tenths = comparison === "above" ? Math.ceil(value * 10) : Math.floor(value * 10);
  return `${withDecimalSign((tenths / 10).toFixed(1))} %`;
}

/** Message of an incident, without the name of its subject. @param detail a sentence that describes it already */
export function incidentMessage(
  rule: AlertRule,
  value: number,
  label: string,
  detail: Sentence = "",
): Sentence {
  const name = oneLine(label, LONGEST);
  switch (rule.watches) {
    case "vm_metric":
    case "host_metric": {
      return {
        ...BEYOND[rule.comparison][label === "" ? 0 : 1],
        args: {
          what: seriesPhrase(rule.series ?? ""),
          name,
          value: beyondWord(rule, value),
          limit: figureWord(rule, rule.threshold ?? 0),
        },
      };
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
        : message`The TLS certificate expires in ${plain(value)} days`;
    case "backup_failed":
    case "schedule_failed": {
      const { whole, one, other } = RUN_FAILED[rule.watches];
      return value > 1 ? other(name, plain(value)) : value > 0 ? one(name) : whole(name);
    }
    case "coverage_lost":
    case "replica_late":
      return detail;
    case "backup_old":
      return Number.isFinite(value)
        ? message`The newest backup of the VM is ${plain(value)} days old`
        : "There is no backup of the VM";
    case "backup_test_failed":
      return value === 1
        ? message`1 backup of the last run of the backup job ${name} did not pass verification or the boot test`
        : message`${
          plain(value)
        } backups of the last run of the backup job ${name} did not pass verification or the boot test`;
  }
}
