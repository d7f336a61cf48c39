import type { Replica, Replication } from "../../lib/contract/mod.ts";
import { replication as texts } from "../../lib/i18n/en/replication.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { formatBytes } from "../../lib/text/quantity.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatSpan } from "../../lib/text/time.ts";
import { DataTable } from "../kit/DataTable.tsx";
import { Icon } from "../kit/Icon.tsx";
import type { IconName } from "../kit/icons.ts";
import { RelativeTime } from "../kit/RelativeTime.tsx";

const { t } = textsOf(texts);
/** The page of both lists. */
export const REPLICATION_PAGE = "/replication";

/** State → its icon and tone. */
const LOOKS = {
  active: { icon: "check", tone: "ok", word: "replication.state.active" },
  running: { icon: "loader", tone: "info", word: "replication.state.running" },
  failed: { icon: "alert", tone: "bad", word: "replication.state.failed" },
  paused: { icon: "pause", tone: "off", word: "replication.state.paused" },
  undecided: { icon: "alert", tone: "warn", word: "replication.state.undecided" },
  lost: { icon: "external", tone: "off", word: "replication.state.lost" },
  replica: { icon: "copy", tone: "ok", word: "replication.state.replica" },
  tested: { icon: "play", tone: "info", word: "replication.state.tested" },
  promoted: { icon: "vms", tone: "off", word: "replication.state.promoted" },
} as const satisfies Record<
  string,
  { readonly icon: IconName; readonly tone: string; readonly word: PlainKeyOf<typeof texts> }
>;

function State({ of }: { of: keyof typeof LOOKS }) {
  const { icon, tone, word } = LOOKS[of];
  return (
    <span class="state" data-tone={tone}>
      <Icon name={icon} />
      <span class="state-word">{t(word)}</span>
    </span>
  );
}

function stateOf({ state, running, lastRun }: Replication): keyof typeof LOOKS {
  if (state !== "active") return state;
  return running ? "running" : lastRun?.state === "failed" ? "failed" : "active";
}

/** The moment that the replica shows, and whether that is too long ago. */
function Behind({ takenAt, late, now }: Pick<Replica, "takenAt" | "late"> & { now: number }) {
  return (
    <span class="stack">
      {takenAt === null ? t("replication.never") : <RelativeTime at={takenAt} now={now} />}
      {late && <span class="text-bad">{t("replication.late")}</span>}
    </span>
  );
}

/** Label of an action on a VM, for screen readers. */
const labelOf = (text: string, name: string) => t("replication.label", { text, name });

/** A button that is a command. */
function Do({ action, text, of }: { action: string; text: string; of: string }) {
  return (
    <form method="post" action={action}>
      <button type="submit" class="button small" aria-label={labelOf(text, of)}>{text}</button>
    </form>
  );
}

/** A link to what asks first. */
const Ask = ({ href, text, of }: { href: string; text: string; of: string }) => (
  <a class="button small" href={href} aria-label={labelOf(text, of)}>{text}</a>
);

/** VMs of this host that are replicated. */
export function ReplicationTable(
  { replications, now, mayChange, back }: {
    replications: readonly Replication[];
    now: number;
    mayChange: boolean;
    /** Address of the page that shows it. */
    back: string;
  },
) {
  return (
    <DataTable
      label={t("replication.out")}
      rows={replications}
      keyOf={({ id }) => id}
      attributesOf={({ id }) => ({ "data-replication": id })}
      empty={<p class="text-muted pad">{t("replication.out_none")}</p>}
      columns={[
        {
          title: t("replication.vm"),
          cell: ({ vmId, vmName }) => (
            <a href={`/vms/${encodeURIComponent(vmId)}`}>
              <bdi>{oneLine(vmName, 60)}</bdi>
            </a>
          ),
        },
        { title: t("replication.to"), cell: ({ toHost }) => oneLine(toHost, 60) },
        { title: t("replication.state"), cell: (each) => <State of={stateOf(each)} /> },
        { title: t("replication.behind"), cell: (each) => <Behind {...each} now={now} /> },
        { title: t("replication.every"), cell: ({ everySeconds }) => formatSpan(everySeconds * 1000) },
        {
          title: t("replication.last"),
          fit: "wrap",
          cell: ({ lastRun }) =>
            lastRun === null ? null : (
              <span class="stack">
                {t("replication.sent", { sent: formatBytes(lastRun.sentBytes) })}
                {lastRun.message !== null && <span class="text-muted">{lastRun.message}</span>}
              </span>
            ),
        },
        mayChange && {
          title: t("replication.actions"),
          kind: "actions",
          cell: ({ id: replicationId, vmName, state }) => {
            const name = oneLine(vmName, 40), isOpen = state === "active" || state === "paused";
            const pauses = state !== "paused";
            return (
              <span class="row-buttons">
                {isOpen && (
                  <>
                    <Do
                      action={formHref("replicate_now", { replicationId }, back)}
                      text={t("replication.now")}
                      of={name}
                    />
                    <Do
                      action={formHref(
                        "update_replication",
                        { replicationId, paused: pauses },
                        back,
                      )}
                      text={t(pauses ? "replication.pause" : "replication.go_on")}
                      of={name}
                    />
                    <Ask
                      href={`${REPLICATION_PAGE}?networks=${replicationId}`}
                      text={t("replication.networks")}
                      of={name}
                    />
                    <Ask
                      href={`${REPLICATION_PAGE}?switch=${replicationId}`}
                      text={t("replication.switch")}
                      of={name}
                    />
                  </>
                )}
                <Ask
                  href={`${REPLICATION_PAGE}?end=${replicationId}`}
                  text={t("replication.end")}
                  of={name}
                />
              </span>
            );
          },
        },
      ]}
    />
  );
}

/** Replicas of other hosts' VMs. */
export function ReplicaTable(
  { replicas, now, mayChange }: { replicas: readonly Replica[]; now: number; mayChange: boolean },
) {
  return (
    <DataTable
      label={t("replication.in")}
      rows={replicas}
      keyOf={({ id }) => id}
      attributesOf={({ id }) => ({ "data-replica": id })}
      empty={<p class="text-muted pad">{t("replication.in_none")}</p>}
      columns={[
        {
          title: t("replication.vm"),
          cell: ({ vmId, vmName, state, test }) => {
            const id = state === "promoted" ? vmId : test?.vmId;
            const name = <bdi>{oneLine(vmName, 60)}</bdi>;
            return id === undefined ? name : <a href={`/vms/${encodeURIComponent(id)}`}>{name}</a>;
          },
        },
        { title: t("replication.from"), cell: ({ from }) => oneLine(from, 60) },
        {
          title: t("replication.state"),
          cell: ({ state, test }) => <State of={test === null ? state : "tested"} />,
        },
        { title: t("replication.behind"), cell: (each) => <Behind {...each} now={now} /> },
        { title: t("replication.every"), cell: ({ everySeconds }) => formatSpan(everySeconds * 1000) },
        { title: t("replication.pool"), cell: ({ pool }) => oneLine(pool, 40) },
        mayChange && {
          title: t("replication.actions"),
          kind: "actions",
          cell: ({ id: replicaId, vmName, state, test, takenAt }) => {
            const name = oneLine(vmName, 40);
            return (
              <span class="row-buttons">
                {state === "replica" && takenAt !== null && (
                  <>
                    {test === null
                      ? (
                        <Do
                          action={formHref("test_replica", { replicaId }, REPLICATION_PAGE)}
                          text={t("replication.test")}
                          of={name}
                        />
                      )
                      : (
                        <Do
                          action={formHref("end_replica_test", { replicaId }, REPLICATION_PAGE)}
                          text={t("replication.end_test")}
                          of={name}
                        />
                      )}
                    <Ask
                      href={`${REPLICATION_PAGE}?promote=${replicaId}`}
                      text={t("replication.promote")}
                      of={name}
                    />
                  </>
                )}
                <Ask
                  href={`${REPLICATION_PAGE}?delete=${replicaId}`}
                  text={t("replication.delete")}
                  of={name}
                />
              </span>
            );
          },
        },
      ]}
    />
  );
}
