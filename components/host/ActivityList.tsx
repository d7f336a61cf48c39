import { currentTime } from "../../lib/client/clock.ts";
import type { Activity } from "../../lib/contract/mod.ts";
import { activityText } from "../../lib/vm/activity.ts";
import { oneLine } from "../../lib/text/text.ts";
import { activity as activityTexts } from "../../lib/i18n/en/activity.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";
import type { IconName } from "../kit/icons.ts";
import { RelativeTime } from "../kit/RelativeTime.tsx";

const texts = textsOf(activityTexts);

const LOOKS: Readonly<Record<Activity["result"], { icon: IconName; tone: string }>> = {
  ok: { icon: "check", tone: "ok" },
  error: { icon: "circleAlert", tone: "bad" },
  event: { icon: "activity", tone: "off" },
};

/** Props of {@link ActivityList}. */
export interface ActivityListProps {
  entries: readonly Activity[];
  /** When the page was rendered. */
  now: number;
  /** On a VM's own page its name says nothing. */
  named?: boolean;
}

/** List of activity, newest first. */
export function ActivityList({ entries, now, named = true }: ActivityListProps) {
  if (entries.length === 0) return <p class="text-muted pad">{texts.t("activity.none")}</p>;
  return (
    <ol class="activity">
      {entries.map((entry) => {
        const { icon, tone } = LOOKS[entry.result];
        return (
          <li key={entry.id} class="activity-entry" data-tone={tone}>
            <Icon name={icon} />
            <span class="activity-text">
              {named && entry.vmName && (
                <>
                  {entry.vmId
                    ? (
                      <a href={`/vms/${encodeURIComponent(entry.vmId)}`}>
                        <bdi>{oneLine(entry.vmName, 60)}</bdi>
                      </a>
                    )
                    : <bdi>{oneLine(entry.vmName, 60)}</bdi>}
                  {" "}
                </>
              )}
              <span>{activityText(entry)}</span>
              {entry.result === "error" && (
                <span class="activity-failed">{` – ${texts.t("activity.failed")}`}</span>
              )}
              {entry.message && (
                <span class="activity-message" title={oneLine(entry.message)}>{oneLine(entry.message)}</span>
              )}
            </span>
            <span class="activity-who">
              {entry.actor !== "libvirt" && <bdi>{oneLine(entry.actor, 30)}</bdi>}
              <RelativeTime at={entry.timestamp} now={currentTime(now)} />
            </span>
          </li>
        );
      })}
    </ol>
  );
}
