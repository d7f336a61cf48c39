import type { GuestFile, Output } from "../../lib/contract/mod.ts";
import { guest as texts } from "../../lib/i18n/en/guest.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { contentHref, inFolder, stepsTo } from "../../lib/guest/paths.ts";
import GuestUpload from "../../islands/GuestUpload.tsx";
import { formatBytes } from "../../lib/text/quantity.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatMoment } from "../../lib/text/time.ts";
import { DataTable } from "../kit/DataTable.tsx";
import { TextField } from "../kit/Field.tsx";
import { Panel } from "../kit/Panel.tsx";

const { t } = textsOf(texts);

/** A folder of a guest, or why it is not shown; undefined until one is asked for. */
export interface OpenFolder {
  readonly path: string;
  readonly list: Output<"guest_list_files"> | null;
  readonly failure: string | null;
}

/** Id of the area that dropped files go to. */
const PLACE = "files";

/** Lists folders of a guest, and gives its files. */
export function GuestFiles({ vmId, folder }: { vmId: string; folder: OpenFolder | null }) {
  const here = `/vms/${encodeURIComponent(vmId)}/guest`;
  const hrefOf = (path: string) => `${here}?path=${encodeURIComponent(path)}#${PLACE}`;
  const path = folder?.path ?? "/";
  const nameOf = ({ name, kind }: GuestFile) => {
    const shown = oneLine(name, 120);
    if (kind === "folder" || kind === "link") return <a href={hrefOf(inFolder(path, name))}>{shown}</a>;
    if (kind !== "file") return shown;
    return (
      <a
        href={contentHref(vmId, inFolder(path, name))}
        download
        aria-label={t("guest.download", { name: shown })}
      >
        {shown}
      </a>
    );
  };
  return (
    <div id={PLACE}>
      <Panel title={t("guest.files")}>
        <form method="get" action={`${here}#${PLACE}`} class="guest-exec">
          <TextField
            label={t("guest.folder")}
            name="path"
            wide
            class="input mono"
            defaultValue={path}
            error={folder?.failure ?? undefined}
          />
          <button type="submit" class="button">{t("guest.open")}</button>
        </form>
        {folder?.list && (
          <>
            <nav class="guest-way" aria-label={t("guest.way")}>
              {stepsTo(path).map((step, index, all) => (
                <a
                  key={step.path}
                  href={hrefOf(step.path)}
                  aria-current={index === all.length - 1 ? "page" : undefined}
                >
                  {oneLine(step.name, 60)}
                </a>
              ))}
            </nav>
            <GuestUpload
              vmId={vmId}
              folder={path}
              taken={folder.list.files.map(({ name }) => name)}
              target={PLACE}
            />
            <DataTable
              label={t("guest.files")}
              rows={folder.list.files}
              keyOf={({ name }) => name}
              empty={t("guest.empty_folder")}
              columns={[
                { title: t("guest.name"), fit: "wrap", cell: nameOf },
                {
                  title: t("guest.size"),
                  kind: "number",
                  cell: ({ kind, size }) => kind === "file" ? formatBytes(size) : null,
                },
                { title: t("guest.modified"), cell: ({ modifiedAt }) => formatMoment(modifiedAt) },
                {
                  title: t("guest.mode"),
                  kind: "code",
                  cell: ({ mode, owner, group }) => `${mode} ${owner}:${group}`,
                },
              ]}
            />
            {folder.list.truncated && <p class="pad text-muted">{t("guest.more_files")}</p>}
          </>
        )}
      </Panel>
    </div>
  );
}
