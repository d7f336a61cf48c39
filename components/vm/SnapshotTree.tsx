import type { Snapshot } from "../../lib/contract/mod.ts";
import { snapshots as texts } from "../../lib/i18n/en/snapshots.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import { type SnapshotRow, snapshotRows } from "../../lib/vm/snapshot_tree.ts";
import { RelativeTime } from "../kit/RelativeTime.tsx";

const { t } = textsOf(texts);

/** Props of {@link SnapshotTree}. */
export interface SnapshotTreeProps {
  snapshots: readonly Snapshot[];
  /** Address of the page. */
  at: string;
  now: number;
}

/** The state that a VM had, and is in again. */
export const STATE_WORDS: Readonly<Record<Snapshot["state"], PlainKeyOf<typeof texts>>> = {
  running: "snapshots.was_running",
  paused: "snapshots.was_paused",
  stopped: "snapshots.was_stopped",
  other: "snapshots.was_otherwise",
};

const kindOf = ({ memory, state, external }: Snapshot) =>
  external && !memory
    ? t("snapshots.external")
    : memory
    ? t("snapshots.with_memory", { state: t(STATE_WORDS[state]) })
    : t("snapshots.disks");

/** The lines next to a row, with its point. */
function Rails({ row: { lane, from, goesOn } }: { row: SnapshotRow }) {
  return (
    <span class="snapshot-rails" aria-hidden="true">
      {Array.from(
        { length: lane },
        (_, at) => <i key={at} data-branch={from === "branch" && at === lane - 1} />,
      )}
      <i class="snapshot-point" data-from={from} data-on={goesOn} />
    </span>
  );
}

function Entry(
  { row, snapshot, at, now }: { row: SnapshotRow; snapshot: Snapshot; at: string; now: number },
) {
  const { name, description, createdAt, current, hindrance } = snapshot, { parent } = row;
  const shown = oneLine(name, 60);
  const ask = (what: "revert" | "delete") => `${at}?${new URLSearchParams({ [what]: name })}`;
  return (
    <li class="snapshot" data-current={current}>
      <Rails row={row} />
      <div class="snapshot-text">
        <strong>
          <bdi>{shown}</bdi>
        </strong>
        {current && <span class="tag">{t("snapshots.here")}</span>}
        <small class="text-muted">
          <RelativeTime at={createdAt} now={now} /> · {kindOf(snapshot)}
          {parent !== undefined && ` · ${t("snapshots.came_from", { name: oneLine(parent, 60) })}`}
        </small>
        {description !== "" && <p>{oneLine(description, 300)}</p>}
        {hindrance !== undefined && (
          <small class="text-muted">{t("snapshots.hindered", { reason: hindrance })}</small>
        )}
      </div>
      <div class="snapshot-actions">
        {hindrance === undefined && (
          <a
            class="button small"
            href={ask("revert")}
            aria-label={t("snapshots.revert_named", { name: shown })}
          >
            {t("snapshots.revert")}
          </a>
        )}
        <a
          class="button small ghost"
          href={ask("delete")}
          aria-label={t("snapshots.delete_named", { name: shown })}
        >
          {t("snapshots.delete")}
        </a>
      </div>
    </li>
  );
}

/** A VM's snapshots as a graph: each below the one it came from, and what the VM is now. */
export function SnapshotTree({ snapshots, at, now }: SnapshotTreeProps) {
  return (
    <ol class="snapshots">
      {snapshotRows(snapshots).map((row) =>
        row.snapshot === null
          ? (
            <li class="snapshot" data-now key="">
              <Rails row={row} />
              <div class="snapshot-text">
                <strong>{t("snapshots.now")}</strong>
                <small class="text-muted">{t("snapshots.now_what")}</small>
              </div>
            </li>
          )
          : <Entry key={row.snapshot.name} row={row} snapshot={row.snapshot} at={at} now={now} />
      )}
    </ol>
  );
}
