import { MAX_SHARE_TAG } from "../../../lib/contract/choices.ts";
import type { DeviceOptions } from "../../../lib/contract/mod.ts";
import { devices as texts } from "../../../lib/i18n/en/devices.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { CheckField, TextField } from "../../kit/Field.tsx";
import { Flash } from "../../kit/Flash.tsx";
import type { ErrorOf } from "./DeviceForm.tsx";
import { WhereField } from "./DiskFields.tsx";

const { t } = textsOf(texts);

/** Everything about a new shared folder, and what it costs the VM. */
export function ShareFields({ options, errorOf, running, persistent }: {
  options: DeviceOptions;
  errorOf: ErrorOf;
  running: boolean;
  persistent: boolean;
}) {
  const missing = options.shareDrivers.find(({ driver }) => driver === "virtiofs")?.unavailable;
  return (
    <>
      <Flash tone="warn">{t("devices.share_warning")}</Flash>
      {missing !== undefined && <Flash tone="info">{t("devices.share_missing", { reason: missing })}</Flash>}
      <div class="device-grid">
        <TextField
          label={t("devices.field_folder")}
          hint={t("devices.folder_hint")}
          name="folder"
          placeholder="/srv/data"
          required
          wide
          maxLength={4096}
          error={errorOf("folder")}
        />
        <TextField
          label={t("devices.field_tag")}
          hint={t("devices.tag_hint")}
          name="tag"
          maxLength={MAX_SHARE_TAG}
          error={errorOf("tag")}
        />
        <WhereField running={running} persistent={persistent} />
        <CheckField
          label={t("devices.field_read_only")}
          hint={t("devices.share_read_only_hint")}
          name="readOnly"
          value="yes"
          wide
        />
      </div>
      {running && <p class="text-muted">{t("devices.share_running")}</p>}
      <p class="text-muted">{t("devices.share_state")}</p>
    </>
  );
}
