import { ACTIONS } from "../../../lib/vm/actions.ts";
import { t } from "../../../lib/i18n/mod.ts";
import { MOVE } from "../../../lib/vm/move_href.ts";
import { BULK_FORM } from "./RowActions.tsx";

/** Actions for several VMs that lose nothing: without script there is no question before. */
export const PLAIN_BULK_ACTIONS = ["start", "stop", "reboot"] as const;

/** The form that the list's boxes belong to. Its own buttons show without script only. */
export function BulkForm({ enabled }: { enabled: boolean }) {
  return (
    <form id={BULK_FORM} method="post" action="/vms/actions" class="bulk noscript-only">
      <span>{t("bulk.plain")}</span>
      {PLAIN_BULK_ACTIONS.map((name) => (
        <button type="submit" key={name} class="button" name="action" value={name} disabled={!enabled}>
          {t(ACTIONS[name].label)}
        </button>
      ))}
      <button type="submit" class="button" formMethod="get" formAction={MOVE} disabled={!enabled}>
        {t("bulk.move")}
      </button>
    </form>
  );
}
