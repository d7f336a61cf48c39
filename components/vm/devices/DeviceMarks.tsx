import type { VmDisk, VmNic, VmShare } from "../../../lib/contract/mod.ts";
import { type DeviceField, deviceValue } from "../../../lib/text/device_values.ts";
import { limitTold } from "../../../lib/text/device_limits.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { devices as texts } from "../../../lib/i18n/en/devices.ts";
import { type PlainKeyOf, textsOf } from "../../../lib/i18n/mod.ts";
import { Icon } from "../../kit/Icon.tsx";

const { t } = textsOf(texts);

/** What is different → what a person calls it. */
const FIELDS: Readonly<Record<string, PlainKeyOf<typeof texts>>> = {
  bus: "devices.field_bus",
  source: "devices.source",
  format: "devices.field_format",
  cache: "devices.field_cache",
  io: "devices.field_io",
  discard: "devices.field_discard",
  detectZeroes: "devices.field_zeroes",
  readOnly: "devices.read_only",
  shareable: "devices.shareable",
  serial: "devices.field_serial",
  bootOrder: "devices.field_boot",
  folder: "devices.folder",
  driver: "devices.field_driver",
  mac: "devices.mac",
  network: "devices.network",
  model: "devices.field_model",
  filter: "devices.field_filter",
  filterAddresses: "devices.field_filter_addresses",
  linkUp: "devices.link",
};

/** What is different → the words it is told in. */
const VALUES: Readonly<Record<string, DeviceField>> = {
  bus: "bus",
  cache: "cache",
  io: "io",
  discard: "discard",
  detectZeroes: "detectZeroes",
  model: "nicModel",
};

/** Where a device is, when not in both configurations, and what about it waits for the next start. */
export function DeviceMarks({ device }: { device: Pick<VmDisk | VmNic | VmShare, "place" | "pending"> }) {
  const { place, pending } = device;
  const value = (field: string, text: string | null) => {
    if (text === null) return t("devices.default");
    if (text === "true" || text === "false") return t(text === "true" ? "devices.yes" : "devices.no");
    return oneLine(Object.hasOwn(VALUES, field) ? deviceValue(VALUES[field]!, text) : text, 80);
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
                  field: limitTold(field, now)?.label ??
                    (Object.hasOwn(FIELDS, field) ? t(FIELDS[field]!) : field),
                  now: limitTold(field, now)?.value ?? value(field, now),
                  next: limitTold(field, next)?.value ?? value(field, next),
                })}
              </small>
            ))}
          </span>
        </span>
      )}
    </>
  );
}
