import { ova as texts } from "../../../lib/i18n/en/ova.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { formatBytes } from "../../../lib/text/quantity.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { DataTable } from "../../kit/DataTable.tsx";
import { Panel } from "../../kit/Panel.tsx";

const { t } = textsOf(texts);

/** An archive that lies in a pool. */
export interface ArchiveVolume {
  readonly pool: string;
  readonly volume: string;
  readonly bytes: number;
}

/** The address of an archive's preview. */
export const previewHref = ({ pool, volume }: Pick<ArchiveVolume, "pool" | "volume">): string =>
  `/vms/import-ova?${new URLSearchParams({ pool, volume })}`;

/** The archives in all pools, each with the way to its preview. */
export function ArchiveTable({ archives }: { archives: readonly ArchiveVolume[] }) {
  return (
    <Panel title={t("ova.there_title")}>
      <DataTable
        label={t("ova.there_title")}
        rows={archives}
        keyOf={({ pool, volume }) => `${pool}/${volume}`}
        empty={t("ova.there_none")}
        columns={[
          { title: t("ova.name"), cell: ({ volume }) => <bdi>{oneLine(volume, 80)}</bdi>, fit: "wide" },
          { title: t("ova.pool"), cell: ({ pool }) => oneLine(pool, 60) },
          { title: t("ova.size"), cell: ({ bytes }) => formatBytes(bytes), kind: "number" },
          {
            title: t("ova.preview"),
            kind: "actions",
            cell: (archive) => (
              <a
                class="button"
                href={previewHref(archive)}
                aria-label={t("ova.preview_named", { name: oneLine(archive.volume, 80) })}
              >
                {t("ova.preview")}
              </a>
            ),
          },
        ]}
      />
    </Panel>
  );
}
