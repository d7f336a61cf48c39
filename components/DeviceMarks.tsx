import type { VmDisk, VmNic } from "../lib/contract/mod.ts";
import { DEVICE_DONE, isDeviceAction } from "../lib/format/device_forms.ts";
import { oneLine } from "../lib/format/text.ts";
import { devices as texts } from "../lib/i18n/en/devices.ts";
import { type PlainKeyOf, textsOf } from "../lib/i18n/mod.ts";
import { Icon } from "./Icon.tsx";

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
  mac: "devices.mac",
  network: "devices.network",
  model: "devices.field_model",
  filter: "devices.field_filter",
  filterAddresses: "devices.field_filter_addresses",
  linkUp: "devices.link",
};

/** Where a device is, when not in both configurations, and what about it waits for the next start. */
export function DeviceMarks({ device }: { device: Pick<VmDisk | VmNic, "place" | "pending"> }) {
  const { place, pending } = device;
  const value = (text: string | null) => oneLine(text ?? t("devices.default"), 60);
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
                  field: Object.hasOwn(FIELDS, field) ? t(FIELDS[field]!) : field,
                  now: value(now),
                  next: value(next),
                })}
              </small>
            ))}
          </span>
        </span>
      )}
    </>
  );
}

/** What the form that led here did, from `?done=`: a word of ours, whatever the address says. */
export function DeviceDone({ params }: { params: URLSearchParams }) {
  const done = params.get("done");
  if (!isDeviceAction(done)) return null;
  return (
    <p class="banner inset" data-tone="ok" role="status">
      <Icon name="check" />
      <span>{t(DEVICE_DONE[done])}</span>
    </p>
  );
}
