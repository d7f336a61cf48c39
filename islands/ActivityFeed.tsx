import { ActivityList } from "../components/host/ActivityList.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import { live } from "../lib/client/live.ts";
import type { Activity } from "../lib/contract/mod.ts";
import { mergeActivity } from "../lib/vm/activity.ts";
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
}

/** What happened lately, and what happens while one looks. */
export default function ActivityFeed({ entries, now, limit, vmId }: ActivityFeedProps) {
  const fresh = live.activity.value.filter((entry) => vmId === undefined || entry.vmId === vmId);
  return (
    <Panel title={texts.t("activity.title")} class="wide">
      <ActivityList entries={mergeActivity(fresh, entries, limit)} now={now} named={vmId === undefined} />
    </Panel>
  );
}
