import type { DeviceOptions } from "../../../lib/contract/mod.ts";
import { disks as texts } from "../../../lib/i18n/en/disks.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { diskTexts } from "../../../lib/text/disk_texts.ts";
import { ContractField } from "../../kit/ContractField.tsx";
import { Flash } from "../../kit/Flash.tsx";
import type { ErrorOf } from "./DeviceForm.tsx";
import { WhereField } from "./WhereField.tsx";
import { ATTACH_SHARE } from "./disk_fields.const.ts";

const { t } = textsOf(texts);

/** Everything about a new shared folder, and what it costs the VM. */
export function ShareFields({ options, errorOf, running, persistent }: {
  options: DeviceOptions;
  errorOf: ErrorOf;
  running: boolean;
  persistent: boolean;
}) {
  const form = { of: ATTACH_SHARE, texts: diskTexts, errorOf };
  const missing = options.shareDrivers.find(({ driver }) => driver === "virtiofs")?.unavailable;
  return (
    <>
      <Flash tone="warn">{t("devices.share_warning")}</Flash>
      {missing !== undefined && <Flash tone="info">{t("devices.share_missing", { reason: missing })}</Flash>}
      <div class="device-grid">
        <ContractField form={form} field="folder" placeholder="/srv/data" wide />
        <ContractField form={form} field="tag" />
        <WhereField running={running} persistent={persistent} />
        <ContractField form={form} field="readOnly" />
      </div>
      {running && <p class="text-muted">{t("devices.share_running")}</p>}
      <p class="text-muted">{t("devices.share_state")}</p>
    </>
  );
}
