import type { VmDisk, VmNic, VmShare } from "../../../lib/contract/mod.ts";
import type { FieldTexts } from "../../../lib/text/field_texts.ts";
import { limitTold } from "../../../lib/text/device_limits.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { devices } from "../../../lib/i18n/en/devices.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { Icon } from "../../kit/Icon.tsx";

const { t } = textsOf(devices);

/** Marks of a device that is in one configuration only, and its changes for the next start. */
export function DeviceMarks({ device, texts }: {
  device: Pick<VmDisk | VmNic | VmShare, "place" | "pending">;
  /** Labels of its fields. */
  texts: FieldTexts;
}) {
  const { place, pending } = device;
  const value = (field: string, text: string | null) => {
    if (text === null) return t("devices.not_chosen");
    if (text === "true" || text === "false") return t(text === "true" ? "devices.yes" : "devices.no");
    return oneLine(texts.word(field, text), 80);
  };
  return (
    <>
      {place === "live" && (
        <span class="device-mark" title={t("devices.place_live_what")}>
          <Icon name="info" />
          {t("devices.place_live")}
        </span>
      )}
      {place === "next" && (
        <span class="device-mark" title={t("devices.place_next_what")}>
          <Icon name="reboot" />
          {t("devices.place_next")}
        </span>
      )}
      {pending.length > 0 && (
        <span class="device-mark">
          <Icon name="reboot" />
          <span>
            {t("devices.pending")}
            {pending.map(({ field, now, next }) => (
              <small key={field}>
                {t("devices.difference", {
                  field: texts.label(field),
                  now: limitTold(field, now) ?? value(field, now),
                  next: limitTold(field, next) ?? value(field, next),
                })}
              </small>
            ))}
          </span>
        </span>
      )}
    </>
  );
}
