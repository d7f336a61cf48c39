import { HttpError, page } from "fresh";
import { Head } from "fresh/runtime";
import { DataTable } from "../../../components/kit/DataTable.tsx";
import { Empty } from "../../../components/kit/Empty.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import { backupHref } from "../../../lib/backup/describe.ts";
import { fileContentHref, filesHref, parentOf } from "../../../lib/backup/files.ts";
import { joinPath } from "../../../lib/bin/place.ts";
import { ContractError } from "../../../lib/contract/errors.ts";
import { backups as texts } from "../../../lib/i18n/en/backups.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { formatWhen } from "../../../lib/text/time.ts";
import { define } from "../../../lib/page_state.ts";
import { formatBytes } from "../../../lib/text/quantity.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { fail } from "../../(_shared)/fail.ts";

const area = textsOf(texts);

export const handler = define.handlers({
  async GET({ state, params, url }) {
    const { api } = state, query = url.searchParams, backupId = params.id ?? "";
    const backup = await api.getBackup({ backupId }).catch(fail);
    state.subject = backup.name;
    const runId = query.get("run"), vmId = query.get("vm");
    if (runId === null || vmId === null) throw new HttpError(404);
    const filesystem = query.get("filesystem") ?? undefined, path = query.get("path") ?? "/";
    const at = { backupId, runId, vmId }, place = filesystem === undefined ? undefined : { filesystem, path };
    try {
      const found = await api.listBackupFiles({ ...at, ...place });
      return page({ backup, at, place, found, fault: undefined });
    } catch (error) {
      if (!(error instanceof ContractError) || error.status === 404) return fail(error);
      return page({ backup, at, place, found: undefined, fault: error.message });
    }
  },
});

/** Files in a copy of a VM. */
export default define.page<typeof handler>(function BackupFilesPage({ data }) {
  const { backup, at, place, found, fault } = data;
  const title = area.t("backups.files_of", { name: oneLine(backup.name, 60) });
  return (
    <>
      <Head>
        <title>{t("title.page", { page: title })}</title>
      </Head>
      <header class="page-head">
        <h1>{title}</h1>
        <span class="actions">
          <a class="button" href={backupHref(backup.id)}>{area.t("backups.files_back")}</a>
        </span>
      </header>
      <div class="backup-runs">
        {fault !== undefined && <p class="pad text-danger" role="alert">{oneLine(fault, 400)}</p>}
        {found !== undefined && place === undefined && (
          <Panel title={area.t("backups.filesystems")}>
            {found.filesystems.length === 0
              ? <Empty icon="disc" title={area.t("backups.filesystems_none")} />
              : (
                <DataTable
                  label={area.t("backups.filesystems")}
                  rows={found.filesystems}
                  keyOf={({ device }) => device}
                  columns={[
                    {
                      title: area.t("backups.filesystem"),
                      cell: ({ device }) => (
                        <a href={filesHref(at, { filesystem: device, path: "/" })}>{device}</a>
                      ),
                    },
                    { title: area.t("backups.filesystem_type"), cell: ({ type }) => type },
                  ]}
                />
              )}
          </Panel>
        )}
        {found !== undefined && place !== undefined && (
          <Panel
            title={oneLine(`${place.filesystem} ${place.path}`, 120)}
            aside={
              <span class="actions">
                <a class="button small" href={filesHref(at, parentOf(place))}>{area.t("backups.files_up")}</a>
                <a class="button small" href={fileContentHref(at, place)} download>
                  {area.t("backups.files_folder")}
                </a>
              </span>
            }
          >
            {found.files.length === 0
              ? <Empty icon="disc" title={area.t("backups.files_none")} />
              : (
                <DataTable
                  label={area.t("backups.files")}
                  rows={found.files}
                  keyOf={({ name }) => name}
                  columns={[
                    {
                      title: area.t("backups.name"),
                      fit: "wrap",
                      cell: ({ name, kind }) => {
                        const to = { ...place, path: joinPath(place.path, name) };
                        const shown = <bdi>{oneLine(name, 200)}</bdi>;
                        if (kind === "folder") return <a href={filesHref(at, to)}>{shown}/</a>;
                        if (kind === "file") return <a href={fileContentHref(at, to)} download>{shown}</a>;
                        return shown;
                      },
                    },
                    {
                      title: area.t("backups.size"),
                      cell: ({ kind, size }) => kind === "file" ? formatBytes(size) : null,
                    },
                    {
                      title: area.t("backups.files_changed"),
                      cell: ({ modifiedAt }) => formatWhen(modifiedAt),
                    },
                  ]}
                />
              )}
            {found.truncated && <p class="pad text-muted">{area.t("backups.files_truncated")}</p>}
          </Panel>
        )}
      </div>
    </>
  );
});
