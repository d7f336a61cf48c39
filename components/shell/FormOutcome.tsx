import type { PageState } from "../../lib/page_state.ts";
import { noticeText } from "../../lib/text/done.ts";
import type { Notice } from "../../lib/text/notice.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { forms } from "../../lib/i18n/en/forms.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Flash } from "../kit/Flash.tsx";

const { t } = textsOf(forms);

/** Actions after a result: restore the entry from the bin, show the task. */
function NoticeActions(
  { notice: { is, entryId, task }, path, mayRestore }: { notice: Notice; path: string; mayRestore: boolean },
) {
  if (is === "started") {
    return <a class="button small" href={task ?? "/tasks"}>{t(task ? "forms.task" : "forms.tasks")}</a>;
  }
  if (entryId === undefined || !mayRestore) return null;
  return (
    <form method="post" action={formHref("restore_bin_entry", { entryId }, path, `/bin?restore=${entryId}`)}>
      <button type="submit" class="button small">{t("forms.undo")}</button>
    </form>
  );
}

/** Result of the form that led to a page. @param path the page's */
export function FormOutcome(
  { state: { refused, notice, may }, path }: {
    state: Pick<PageState, "refused" | "notice" | "may">;
    path: string;
  },
) {
  if (refused !== null) return <Flash tone="bad" title={t("forms.refused")} failure={refused.failure} />;
  const text = notice && noticeText(notice);
  if (!text) return null;
  return (
    <>
      <Flash
        tone={notice.is === "started" ? "info" : "ok"}
        {...(notice.is === "started" && { icon: "loader" as const })}
        actions={<NoticeActions notice={notice} path={path} mayRestore={may("restore_bin_entry")} />}
      >
        {text}
      </Flash>
      {notice.warnings?.map((warning) => <Flash key={warning} tone="warn">{warning}</Flash>)}
    </>
  );
}
