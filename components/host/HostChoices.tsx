import type { HostStatus } from "../../lib/contract/mod.ts";
import { hostChoices } from "../../lib/i18n/en/host_choices.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formatMemory } from "../../lib/text/quantity.ts";
import { oneLine } from "../../lib/text/text.ts";

const { t, plural } = textsOf(hostChoices);

/** Load of a host, as a line. */
function loadOf({ status, load, vmCount = 0 }: HostStatus): string {
  if (status !== "connected") return t("host_choices.away");
  const vms = plural("host_choices.vms", vmCount);
  if (load === undefined || load.memoryUsedMb === null) return vms;
  const free = formatMemory(Math.max(0, load.memoryTotalMb - load.memoryUsedMb));
  return t("host_choices.load", { free, total: formatMemory(load.memoryTotalMb), vms });
}

/** MiB of memory that are free. */
const freeOf = ({ load }: HostStatus) => (load?.memoryTotalMb ?? 0) - (load?.memoryUsedMb ?? 0);

/** Hosts as radio buttons of the field `toHost`, those with the most memory free first. */
export function HostChoices({ legend, hosts }: { legend: string; hosts: readonly HostStatus[] }) {
  const sorted = hosts.toSorted((a, b) => freeOf(b) - freeOf(a));
  const first = sorted.find(({ status }) => status === "connected");
  return (
    <fieldset class="choices">
      <legend>{legend}</legend>
      {sorted.map((host) => (
        <label key={host.id} class="check">
          <input
            type="radio"
            name="toHost"
            value={host.id}
            required
            checked={host === first}
            disabled={host.status !== "connected"}
          />
          <span>
            <strong>{oneLine(host.label, 60)}</strong>
            <span class="form-hint">{loadOf(host)}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
