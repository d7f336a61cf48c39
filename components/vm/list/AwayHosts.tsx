import { currentTime } from "../../../lib/client/clock.ts";
import type { VM } from "../../../lib/contract/mod.ts";
import { LOCAL_HOST } from "../../../lib/contract/local_host.ts";
import { formatLately } from "../../../lib/hangs/words.ts";
import type { ListedHost } from "../../../lib/host/listed.ts";
import { list as listTexts } from "../../../lib/i18n/en/list.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { formatAgo } from "../../../lib/text/time.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { Flash } from "../../kit/Flash.tsx";

const { t } = textsOf(listTexts);

/** How old what is shown of a VM is while its host is away, or tells what is not understood here. */
export function ageOf(
  { notUnderstoodSince }: Pick<VM, "notUnderstoodSince">,
  away: ListedHost | undefined,
  now: number,
): string | undefined {
  const ago = (since: number) => formatAgo(since, currentTime(now));
  if (notUnderstoodSince !== undefined) return t("list.not_understood", { ago: ago(notUnderstoodSince) });
  return away && t("list.as_of", { ago: ago(away.since) });
}

/** Names the hosts that are away, each with its reason; the page's own banner names the local one. */
export function AwayHosts({ hosts, now }: { hosts: ReadonlyMap<string, ListedHost>; now: number }) {
  return (
    <>
      {[...hosts.values()].filter(({ id }) => id !== LOCAL_HOST).map(({ id, label, error, since }) => (
        <Flash
          key={id}
          tone="warn"
          icon="unplug"
          title={t("list.away", { name: oneLine(label, 60), time: formatLately(since, now) })}
        >
          {t("list.away_what")} {error !== null && t("list.away_why", { reason: oneLine(error, 300) })}
        </Flash>
      ))}
    </>
  );
}
