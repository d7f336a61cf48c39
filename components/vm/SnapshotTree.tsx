import type { Snapshot } from "../../lib/contract/mod.ts";
import { snapshots as texts } from "../../lib/i18n/en/snapshots.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import { type SnapshotNode, snapshotTree } from "../../lib/vm/snapshot_tree.ts";
import { Icon } from "../kit/Icon.tsx";
import { RelativeTime } from "../kit/RelativeTime.tsx";

const { t } = textsOf(texts);

/** Branches that are indented; what is deeper stands below one another. */
const MOST_BRANCHES = 8;
/** Lists within lists: of a longer chain the rest stands in one list, for the server cannot write so many. */
const MOST_LISTS = 100;

/** Snapshots of which each came from the one before, and nothing else did, as if they came from the same one. */
function unchained(nodes: readonly SnapshotNode[]): SnapshotNode[] {
  const flat: SnapshotNode[] = [];
  let [only, ...others] = nodes;
  for (; only !== undefined && others.length === 0; [only, ...others] = only.children) {
    flat.push(only.children.length === 1 ? { ...only, children: [] } : only);
    if (only.children.length !== 1) return flat;
  }
  return [...nodes];
}

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

function Entry({ snapshot, at, now }: { snapshot: Snapshot; at: string; now: number }) {
  const { name, description, createdAt, current, hindrance } = snapshot;
  const shown = oneLine(name, 60);
  const ask = (what: "revert" | "delete") => `${at}?${new URLSearchParams({ [what]: name })}`;
  return (
    <div class="snapshot" data-current={current}>
      <Icon name={current ? "running" : "disc"} />
      <div class="snapshot-text">
        <strong>
          <bdi>{shown}</bdi>
        </strong>
        {current && <span class="tag">{t("snapshots.here")}</span>}
        <small class="text-muted">
          <RelativeTime at={createdAt} now={now} /> · {kindOf(snapshot)}
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
    </div>
  );
}

function Level({ nodes, depth, lists, ...rest }: {
  nodes: readonly SnapshotNode[];
  /** Lists above. */
  lists: number;
  /** Branches above. */
  depth: number;
  at: string;
  now: number;
}) {
  return (
    <ul class="snapshots" data-branch={nodes.length > 1 && depth > 0 && depth <= MOST_BRANCHES}>
      {(lists < MOST_LISTS ? nodes : unchained(nodes)).map(({ snapshot, children }) => (
        <li key={snapshot.name}>
          <Entry snapshot={snapshot} {...rest} />
          {children.length > 0 && (
            <Level
              nodes={children}
              depth={depth + Number(children.length > 1)}
              lists={lists + 1}
              {...rest}
            />
          )}
        </li>
      ))}
    </ul>
  );
}

/** A VM's snapshots, each below the one it came from, to the right where others came from that as well. */
export function SnapshotTree({ snapshots, at, now }: SnapshotTreeProps) {
  return <Level nodes={snapshotTree(snapshots)} depth={0} lists={0} at={at} now={now} />;
}
