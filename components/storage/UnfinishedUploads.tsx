import type { UnfinishedUpload } from "../../lib/contract/mod.ts";
import { formatBytes } from "../../lib/text/quantity.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { oneLine } from "../../lib/text/text.ts";
import { storage as texts } from "../../lib/i18n/en/storage.ts";
import { uploads as uploadTexts } from "../../lib/i18n/en/uploads.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { JobBar } from "../jobs/JobBar.tsx";
import { Panel } from "../kit/Panel.tsx";
import { poolHref } from "../../lib/storage/pool_href.ts";

const { t } = textsOf(texts);
const own = textsOf(uploadTexts);

/** Uploads into a pool that are not whole. What broke off can be removed before its hour is over: a plain form. */
export function UnfinishedUploads({ pool, uploads }: { pool: string; uploads: readonly UnfinishedUpload[] }) {
  if (uploads.length === 0) return null;
  return (
    <Panel title={own.t("uploads.unfinished")} class="storage-form">
      <p class="form-note">{own.t("uploads.unfinished_what")}</p>
      <ul class="upload-list">
        {uploads.map(({ volume, offset, size, isRunning }) => {
          const name = oneLine(volume, 80);
          return (
            <li key={volume} data-upload={name}>
              <div>
                <bdi>{name}</bdi>
                <JobBar progress={offset / size} label={own.t("uploads.progress", { name })} />
                <p class="form-hint">
                  {own.t(isRunning ? "uploads.running" : "uploads.broke_off")} ·{" "}
                  {own.t("uploads.bytes", { done: formatBytes(offset), total: formatBytes(size) })}
                </p>
              </div>
              {!isRunning && (
                <form
                  method="post"
                  action={formHref("delete_upload", { pool, volume }, `${poolHref(pool)}?do=upload`)}
                >
                  <button
                    type="submit"
                    class="button"
                    aria-label={t("storage.verb_of", { verb: own.t("uploads.remove"), name })}
                  >
                    {own.t("uploads.remove")}
                  </button>
                </form>
              )}
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
