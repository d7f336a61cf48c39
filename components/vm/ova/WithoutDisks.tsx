import { ova as texts } from "../../../lib/i18n/en/ova.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { CheckField } from "../../kit/Field.tsx";

const { t } = textsOf(texts);

/** Asks whether an archive is imported although its VM would have no disk. */
export function WithoutDisks({ pool, volume }: { pool: string; volume: string }) {
  return (
    <form method="get" action="/vms/import-ova" class="panel storage-form">
      <input type="hidden" name="pool" value={pool} />
      <input type="hidden" name="volume" value={volume} />
      <div class="form-grid">
        <CheckField wide required label={t("ova.without_disks")} name="withoutDisks" value="yes" />
      </div>
      <div class="form-actions">
        <button type="submit" class="button">{t("ova.look_again")}</button>
      </div>
    </form>
  );
}
