import type { BinEntry } from "../../lib/contract/mod.ts";
import { bin as texts } from "../../lib/i18n/en/bin.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { formatBytes } from "../../lib/text/quantity.ts";
import { formatDay } from "../../lib/text/time.ts";
import { oneLine } from "../../lib/text/text.ts";
import { DataTable } from "../kit/DataTable.tsx";
import { RelativeTime } from "../kit/RelativeTime.tsx";

const { t, plural } = textsOf(texts);
const AT = "/bin";

/** Notes on an entry: its files, and its missing or lost parts. */
function notesOf({ kind, files, missing, lost, found }: BinEntry): string[] {
  const paths = (list: readonly string[]) => list.map((path) => oneLine(path)).join(", ");
  return [
    kind === "vm" && files.length > 0 && plural("bin.disks", files.length),
    found && t("bin.found"),
    lost.length > 0 && t("bin.lost", { paths: paths(lost) }),
    missing.length > 0 && t("bin.missing", { paths: paths(missing) }),
  ].filter((note) => note !== false);
}

function Actions({ entry: { id, name } }: { entry: BinEntry }) {
  const of = { name: oneLine(name, 60) };
  return (
    <span class="actions">
      <form method="post" action={formHref("restore_bin_entry", { entryId: id }, AT, `${AT}?restore=${id}`)}>
        <button type="submit" class="button small" aria-label={t("bin.restore_of", of)}>
          {t("bin.restore")}
        </button>
      </form>
      <form method="post" action={formHref("delete_bin_entry", { entryId: id }, AT)}>
        <button type="submit" class="button small danger" aria-label={t("bin.delete_of", of)}>
          {t("bin.delete")}
        </button>
      </form>
    </span>
  );
}

/** Table of the bin's entries. */
export function BinTable({ entries, now }: { entries: readonly BinEntry[]; now: number }) {
  return (
    <div class="panel">
      <DataTable
        label={t("bin.title")}
        rows={entries}
        keyOf={({ id }) => id}
        attributesOf={({ id }) => ({ "data-entry": id })}
        columns={[
          {
            title: t("bin.name"),
            fit: "wide",
            cell: (entry) => (
              <>
                <bdi class="ellipsis" title={oneLine(entry.name)}>{oneLine(entry.name, 80)}</bdi>
                <small>{notesOf(entry).join(" · ")}</small>
              </>
            ),
          },
          { title: t("bin.kind"), cell: ({ kind }) => t(`bin.kind.${kind}`) },
          {
            title: t("bin.deleted"),
            cell: ({ deletedAt, deletedBy }) => (
              <span class="stack">
                <RelativeTime at={deletedAt} now={now} />
                <span class="text-muted">{t("bin.by", { name: oneLine(deletedBy, 40) })}</span>
              </span>
            ),
          },
          { title: t("bin.until"), cell: ({ until }) => formatDay(until) },
          { title: t("bin.size"), kind: "number", cell: ({ bytes }) => formatBytes(bytes) },
          { title: t("bin.actions"), kind: "actions", cell: (entry) => <Actions entry={entry} /> },
        ]}
      />
    </div>
  );
}
