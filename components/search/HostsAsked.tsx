import type { SearchedHost } from "../../lib/contract/mod.ts";
import { spanText } from "../../lib/host/clock_text.ts";
import { search as texts } from "../../lib/i18n/en/search.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatAgo } from "../../lib/text/time.ts";
import { Flash } from "../kit/Flash.tsx";

const { t } = textsOf(texts);

/** A reason as a sentence of its own. */
const sentence = (reason: string) =>
  /[.!?]$/.test(reason)
    ? reason
    : t("search.missing_why", { reason: reason[0]!.toUpperCase() + reason.slice(1) });

/** How old what was last heard of a host is. */
const heardText = (heardAt: number | null, now: number) =>
  heardAt === null ? t("search.never_heard") : t("search.heard", { ago: formatAgo(heardAt, now) });

/** Names the hosts that a list has nothing of, each with its reason and age, and those whose clocks differ. */
export function HostsAsked({ hosts, now }: { hosts: readonly SearchedHost[]; now: number }) {
  return (
    <>
      {hosts.filter(({ reason }) => reason !== null).map(({ host, label, reason, heardAt }) => (
        <div key={host} data-missing-host={host}>
          <Flash tone="warn" icon="unplug" title={t("search.missing", { name: oneLine(label, 60) })}>
            {sentence(oneLine(reason!, 300))} {heardText(heardAt, now)}
          </Flash>
        </div>
      ))}
      {hosts.filter(({ reason, clockAheadMs }) => reason === null && clockAheadMs !== undefined).map((
        each,
      ) => (
        <p key={each.host} class="text-muted" data-clock-of={each.host}>
          {t("search.clock", { name: oneLine(each.label, 60), span: spanText(each.clockAheadMs!) })}
        </p>
      ))}
    </>
  );
}
