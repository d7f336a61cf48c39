/** The fields of each part of the hardware page. */
import type { ComponentChildren } from "preact";
import type { Hardware, VM } from "../../../lib/contract/mod.ts";
import { type HardwareSectionName, TPMS } from "../../../lib/vm/hardware_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { hardware } from "../../../lib/i18n/en/hardware.ts";
import { deviceTexts } from "../../../lib/text/device_texts.ts";
import { type PlainKeyOf, textsOf } from "../../../lib/i18n/mod.ts";
import { CheckField, Field, type FieldChoice, SelectField, TextField } from "../../kit/Field.tsx";
import { BootFields } from "./HardwareBootFields.tsx";
import { CpuFields, MemoryFields } from "./HardwareCpuFields.tsx";
import { choice, fieldFrame, type FieldsProps, tickIn, valueIn, withCurrent } from "./HardwareField.tsx";

const { t } = textsOf(hardware);
type Key = PlainKeyOf<typeof hardware>;

const FIRMWARES: Readonly<Record<string, Key>> = {
  "bios": "hardware.firmware.bios",
  "uefi": "hardware.firmware.uefi",
  "uefi-secure": "hardware.firmware.uefi_secure",
};
const ACTIONS: Readonly<Record<string, Key>> = {
  reset: "hardware.action.reset",
  shutdown: "hardware.action.shutdown",
  poweroff: "hardware.action.poweroff",
  pause: "hardware.action.pause",
  none: "hardware.action.none",
};

function FirmwareFields({ next, options, bounds, context }: FieldsProps) {
  const { firmware, tpm, nvram } = next;
  const isHere = (each: string) =>
    each === "bios" || each === firmware || options === null ||
    (each === "uefi" ? options.uefi : options.secureBoot);
  const own = tpm && tpm.backend === "emulator" ? `${tpm.model} ${tpm.version}` : tpm ? "keep" : "";
  const tpms: FieldChoice[] = [
    { value: "", label: t("hardware.none") },
    ...TPMS.map((each) =>
      choice(
        each,
        each,
        each === own || options === null ||
          (options.tpm && options.tpmModels.includes(each.split(" ")[0]!)),
        t("hardware.needs_swtpm"),
      )
    ),
    ...(own === "keep" ? [{ value: "keep", label: `${tpm!.model} (${oneLine(tpm!.backend, 40)})` }] : []),
  ];
  const hint = nvram === null
    ? t("hardware.hint.firmware")
    : t("hardware.hint.nvram", { path: oneLine(nvram) });
  return (
    <>
      <SelectField
        {...fieldFrame("firmware", t("hardware.field.firmware"), context, hint)}
        name="firmware"
        value={String(valueIn(context, "firmware", firmware))}
        choices={bounds.firmwares.map((each) =>
          choice(each, t(FIRMWARES[each] ?? "hardware.firmware.bios"), isHere(each), t("hardware.needs_ovmf"))
        )}
      />
      <SelectField
        {...fieldFrame("tpm 0", t("hardware.field.tpm"), context, t("hardware.hint.tpm"))}
        name="tpm"
        value={String(valueIn(context, "tpm", own))}
        choices={withCurrent(tpms, own)}
      />
    </>
  );
}

function DeviceFields({ next, options, bounds, context }: FieldsProps) {
  const { video, sound, watchdog, rng } = next;
  const none = { value: "", label: t("hardware.none") };
  const told = (field: string, values: readonly string[]) =>
    values.map((value) => ({ value, label: deviceTexts.word(field, value) }));
  return (
    <>
      <SelectField
        {...fieldFrame("video 0", t("hardware.field.video"), context)}
        name="video"
        value={String(valueIn(context, "video", video ?? ""))}
        choices={withCurrent([
          ...(video === null ? [none] : []),
          ...bounds.videos.map((each) =>
            choice(
              each,
              each === "none" ? t("hardware.none") : deviceTexts.word("video", each),
              each === video || (options?.videoModels.includes(each) ?? true),
            )
          ),
        ], video)}
      />
      <SelectField
        {...fieldFrame("sound 0", t("hardware.field.sound"), context)}
        name="sound"
        value={String(valueIn(context, "sound", sound ?? ""))}
        choices={withCurrent([none, ...told("sound", bounds.sounds)], sound)}
      />
      <SelectField
        {...fieldFrame("watchdog 0", t("hardware.field.watchdog"), context)}
        name="watchdog"
        value={String(valueIn(context, "watchdog", watchdog?.model ?? ""))}
        choices={withCurrent([none, ...told("watchdog", bounds.watchdogs)], watchdog?.model ?? null)}
      />
      <SelectField
        label={t("hardware.field.watchdog_action")}
        name="watchdogAction"
        value={String(valueIn(context, "watchdogAction", watchdog?.action ?? "reset"))}
        choices={bounds.watchdogActions.map((each) => ({
          value: each,
          label: t(ACTIONS[each] ?? "hardware.action.none"),
        }))}
      />
      <CheckField
        {...fieldFrame("rng 0", t("hardware.field.rng"), context)}
        wide
        name="rng"
        value="yes"
        defaultChecked={tickIn(context, "rng", rng)}
      />
    </>
  );
}

function GeneralFields({ vm, next, bounds, context }: FieldsProps) {
  return (
    <>
      <TextField
        {...fieldFrame("title", t("hardware.field.title"), context)}
        name="title"
        maxLength={bounds.longestTitle}
        defaultValue={valueIn(context, "title", next.title)}
      />
      <TextField
        {...fieldFrame("tags", t("hardware.field.tags"), context, t("hardware.hint.tags"))}
        name="tags"
        defaultValue={valueIn(context, "tags", vm.tags.join(" "))}
      />
      <Field
        {...fieldFrame("description", t("hardware.field.description"), context)}
        wide
        control={(ties) => (
          <textarea
            class="input area"
            name="description"
            rows={3}
            maxLength={bounds.longestDescription}
            {...ties}
            defaultValue={valueIn(context, "description", next.description)}
          />
        )}
      />
      <CheckField
        label={t("hardware.field.autostart")}
        wide
        name="autostart"
        value="yes"
        defaultChecked={tickIn(context, "autostart", vm.autostart)}
      />
    </>
  );
}

/** A part of the page. */
interface Part {
  readonly title: Key;
  readonly fields: (props: FieldsProps) => ComponentChildren;
  /** Whether a running VM takes none of it, some of it or all of it at once. */
  readonly live: "none" | "some" | "all";
  /** Initial values of its fields: when they change, the fields are drawn again. */
  readonly of: (next: Hardware, vm: VM) => unknown;
}

/** Part of the page → its title and its fields. */
export const FORMS: Readonly<Record<HardwareSectionName, Part>> = {
  cpu: { title: "hardware.cpu", fields: CpuFields, live: "some", of: ({ cpu }) => cpu },
  memory: { title: "hardware.memory", fields: MemoryFields, live: "some", of: ({ memory }) => memory },
  boot: { title: "hardware.boot", fields: BootFields, live: "none", of: ({ boot }) => boot },
  firmware: {
    title: "hardware.firmware",
    fields: FirmwareFields,
    live: "none",
    of: ({ firmware, tpm }) => [firmware, tpm],
  },
  devices: {
    title: "hardware.devices",
    fields: DeviceFields,
    live: "none",
    of: ({ video, sound, watchdog, rng }) => [video, sound, watchdog, rng],
  },
  general: {
    title: "hardware.general",
    fields: GeneralFields,
    live: "all",
    of: ({ title, description }, { tags, autostart }) => [title, description, tags, autostart],
  },
};
