import { ActivityList } from "../components/host/ActivityList.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import { live } from "../lib/client/live.ts";
import type { Activity } from "../lib/contract/mod.ts";
import { mergeActivity, withoutOwnConsoles } from "../lib/vm/activity.ts";
import { activity as activityTexts } from "../lib/i18n/en/activity.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const texts = textsOf(activityTexts);

/** Props of {@link ActivityFeed}. */
export interface ActivityFeedProps {
  entries: readonly Activity[];
  /** When the page was rendered. */
  now: number;
  limit: number;
  /** Only what happened to this VM. */
  vmId?: string;
  /** Name of the present user: consoles that they opened are left out. */
  self?: string | undefined;
}

/** List of the latest activity, live. */
export default function ActivityFeed({ entries, now, limit, vmId, self }: ActivityFeedProps) {
  const fresh = live.activity.value.filter((entry) => vmId === undefined || entry.vmId === vmId);
  const told = self === undefined ? fresh : withoutOwnConsoles(fresh, self);
  return (
    <Panel title={texts.t("activity.title")} class="wide">
      <ActivityList entries={mergeActivity(told, entries, limit)} now={now} named={vmId === undefined} />
    </Panel>
  );
}
