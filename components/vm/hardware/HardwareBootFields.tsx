/** The fields of what a VM boots from. */
import { useState } from "preact/hooks";
import { KIND_ORDERS } from "../../../lib/vm/hardware_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { hardware } from "../../../lib/i18n/en/hardware.ts";
import { type PlainKeyOf, textsOf } from "../../../lib/i18n/mod.ts";
import { CheckField, SelectField } from "../../kit/Field.tsx";
import { fieldFrame, type FieldsProps, tickIn, valueIn } from "./HardwareField.tsx";

const { t } = textsOf(hardware);

const KINDS: Readonly<Record<string, PlainKeyOf<typeof hardware>>> = {
  hd: "hardware.kind.hd",
  cdrom: "hardware.kind.cdrom",
  network: "hardware.kind.network",
  fd: "hardware.kind.fd",
};
const kindsText = (kinds: string) =>
  kinds === ""
    ? t("hardware.kind.none")
    : kinds.split(",").map((each) => t(KINDS[each] ?? "hardware.kind.hd")).join(", ");

/** Kind of a device → how it is called. */
const BOOT_DEVICES: Readonly<
  Record<string, "hardware.boot_disk" | "hardware.boot_nic" | "hardware.boot_hostdev">
> = {
  disk: "hardware.boot_disk",
  nic: "hardware.boot_nic",
  hostdev: "hardware.boot_hostdev",
};

/** A device that can be booted from, `disk:vda` or `nic:52:54:00:…`, as a person calls it. */
function bootDevice(id: string): string {
  const [kind = ""] = id.split(":", 1), name = oneLine(id.slice(kind.length + 1), 60);
  return Object.hasOwn(BOOT_DEVICES, kind) ? t(BOOT_DEVICES[kind]!, { name }) : oneLine(id, 60);
}

/** Kinds of devices or single ones, in order, and the firmware's menu. */
export function BootFields({ next: { boot }, context }: FieldsProps) {
  const { candidates, order, devices } = boot;
  const kinds = devices.join(",");
  const [by, setBy] = useState(String(valueIn(context, "by", order.length > 0 ? "order" : "kinds")));
  const { hint, error: wrong } = fieldFrame("boot.order", "", context);
  const orders = KIND_ORDERS.map((each) => ({ value: each as string, label: kindsText(each) }));
  const listed = orders.some(({ value }) => value === kinds)
    ? orders
    : [{ value: kinds, label: kindsText(kinds) }, ...orders];
  return (
    <>
      {boot.kernel && <p class="form-field wide form-hint">{t("hardware.hint.kernel")}</p>}
      <SelectField
        label={t("hardware.field.by")}
        name="by"
        value={by}
        onChange={(event) => setBy(event.currentTarget.value)}
        choices={[
          { value: "kinds", label: t("hardware.by.kinds") },
          { value: "order", label: t("hardware.by.order") },
        ]}
      />
      <SelectField
        {...fieldFrame("boot.devices", t("hardware.field.kinds"), context)}
        name="devices"
        value={String(valueIn(context, "devices", kinds))}
        choices={listed}
      />
      <fieldset class="form-field wide">
        <legend>{t("hardware.field.order")}</legend>
        {candidates.length === 0 && <p class="form-hint">{t("hardware.no_devices")}</p>}
        <ul class="boot-order">
          {candidates.map(({ id, what }) => {
            const place = Number(valueIn(context, `place ${id}`, order.indexOf(id) + 1));
            return (
              <li key={id}>
                <select
                  class="input"
                  name={`place ${id}`}
                  aria-invalid={wrong === undefined ? undefined : "true"}
                  aria-label={t("hardware.place", { device: bootDevice(id) })}
                  onChange={() => setBy("order")}
                >
                  <option value="0" selected={place === 0}>{t("hardware.place.none")}</option>
                  {candidates.map((_, index) => (
                    <option key={index} value={index + 1} selected={place === index + 1}>
                      {index + 1}
                    </option>
                  ))}
                </select>
                <span>{bootDevice(id)}</span>
                <bdi class="text-muted ellipsis" title={oneLine(what)}>{oneLine(what, 120)}</bdi>
              </li>
            );
          })}
        </ul>
        {hint !== undefined && <p class="form-hint">{hint}</p>}
        {wrong !== undefined && <p class="form-error">{wrong}</p>}
      </fieldset>
      <CheckField
        {...fieldFrame("boot.menu", t("hardware.field.menu"), context)}
        wide
        name="menu"
        value="yes"
        defaultChecked={tickIn(context, "menu", boot.menu)}
      />
    </>
  );
}
