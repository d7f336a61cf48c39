import { ANTI_SPOOFING, NIC_MODELS } from "../../../lib/contract/choices.ts";
import type { DeviceOptions, VmNic } from "../../../lib/contract/mod.ts";
import { asNext } from "../../../lib/vm/device_next.ts";
import { deviceValue } from "../../../lib/text/device_values.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { devices as texts } from "../../../lib/i18n/en/devices.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import type { ErrorOf } from "./DeviceForm.tsx";
import { CheckField, type FieldChoice, SelectField, TextField } from "../../kit/Field.tsx";
import { NicLimitFields } from "./LimitFields.tsx";
import { WhereField } from "./DiskFields.tsx";

const { t } = textsOf(texts);

/** Where a card is plugged in, as a choice's value. */
const plugOf = ({ type, network }: Pick<VmNic, "type" | "network">) => `${type}:${network}`;

/** Everything a card can be plugged into; what it is plugged into now, whatever that is. */
function plugs(options: DeviceOptions, nic: VmNic | undefined): FieldChoice[] {
  const found: FieldChoice[] = [
    ...options.networks.map(({ name, active }) => ({
      value: `network:${name}`,
      label: t("devices.source_network", { name: oneLine(name, 60) }),
      unavailable: active ? undefined : t("devices.not_active"),
    })),
    ...options.hostInterfaces.filter(({ bridge }) => bridge).map(({ name }) => ({
      value: `bridge:${name}`,
      label: t("devices.source_bridge", { name: oneLine(name, 60) }),
    })),
    ...options.hostInterfaces.filter(({ bridge }) => !bridge).map(({ name }) => ({
      value: `direct:${name}`,
      label: t("devices.source_direct", { name: oneLine(name, 60) }),
    })),
    ...options.userNetworking.map(({ backend, unavailable }) => ({
      value: `user:${backend}`,
      label: t(backend === "passt" ? "devices.source_passt" : "devices.source_slirp"),
      unavailable,
    })),
  ];
  if (nic === undefined) return [{ value: "", label: t("devices.source_choose") }, ...found];
  const now = plugOf(nic);
  const kept: FieldChoice = { value: now, label: `${oneLine(nic.type, 20)} ${oneLine(nic.network, 60)}` };
  return found.some(({ value, unavailable }) => value === now && unavailable === undefined)
    ? found
    : [kept, ...found.filter(({ value }) => value !== now)];
}

/** A field that is sent together with what it was, so that only what changed is changed. */
function Was({ name, value }: { name: string; value: string | undefined }) {
  return value === undefined ? null : <input type="hidden" name={`${name}Was`} value={value} />;
}

/** Props of {@link NicFields}. */
export interface NicFieldsProps {
  options: DeviceOptions;
  errorOf: ErrorOf;
  running: boolean;
  persistent: boolean;
  /** The card to change; absent for a new one. */
  nic?: VmNic;
}

/** What the guest may send: anti-spoofing by one tick, or any filter there is. */
function FilterFields({ options, errorOf, nic }: Pick<NicFieldsProps, "options" | "errorOf"> & {
  nic: VmNic | undefined;
}) {
  const now = nic?.filter ?? "";
  const others = [...new Set([...now === "" ? [] : [now], ...options.filters])]
    .filter((name) => name !== ANTI_SPOOFING);
  const addresses = nic?.filterAddresses.join(" ") ?? "";
  return (
    <>
      {options.filters.includes(ANTI_SPOOFING) && (
        <CheckField
          label={t("devices.field_anti_spoofing")}
          hint={t("devices.anti_spoofing_hint")}
          name="antiSpoofing"
          value="yes"
          defaultChecked={now === ANTI_SPOOFING}
          wide
        />
      )}
      <SelectField
        label={t("devices.field_other_filter")}
        name="filter"
        value={now === ANTI_SPOOFING ? "" : now}
        error={errorOf("filter")}
        choices={[
          { value: "", label: t("devices.none") },
          ...others.map((value) => ({ value, label: oneLine(value, 60) })),
        ]}
      />
      <Was name="filter" value={nic && now} />
      <TextField
        label={t("devices.field_filter_addresses")}
        hint={t("devices.filter_addresses_hint")}
        name="filterAddresses"
        defaultValue={addresses}
        maxLength={400}
        error={errorOf("filterAddresses")}
      />
      <Was name="filterAddresses" value={nic && addresses} />
    </>
  );
}

/** Everything about a network card. */
export function NicFields({ options, errorOf, running, persistent, nic }: NicFieldsProps) {
  const first = options.networks.find(({ active }) => active)?.name;
  const source = nic ? plugOf(nic) : first === undefined ? "" : `network:${first}`;
  const next = (field: string) => nic?.pending.find((each) => each.field === field)?.next ?? undefined;
  const model = next("model") ?? nic?.model ?? "virtio";
  const mac = next("mac") ?? nic?.mac ?? "";
  const models = NIC_MODELS.some((each) => each === model) ? NIC_MODELS : [model, ...NIC_MODELS];
  // The server refuses these to who may not loosen filters: they are shown, and not offered.
  const isLocked = nic?.filter !== undefined && !options.mayLoosenFilters;
  return (
    <div class="device-grid">
      {nic && running && <p class="text-muted wide">{t("devices.nic_running")}</p>}
      <SelectField
        label={t("devices.field_source")}
        name="source"
        value={source}
        wide
        error={errorOf("source")}
        choices={plugs(options, nic)}
      />
      <Was name="source" value={nic && source} />
      <SelectField
        label={t("devices.field_model")}
        name="model"
        value={model}
        choices={models.map((value) => ({ value, label: deviceValue("nicModel", value) }))}
      />
      <Was name="model" value={nic && model} />
      {!isLocked && (
        <TextField
          label={t("devices.field_mac")}
          {...(nic === undefined && { hint: t("devices.mac_hint") })}
          name="newMac"
          defaultValue={mac}
          placeholder="52:54:00:…"
          maxLength={17}
          error={errorOf("newMac")}
        />
      )}
      <Was name="newMac" value={isLocked ? undefined : nic && mac} />
      {isLocked
        ? <p class="text-muted wide">{t("devices.filter_locked", { filter: oneLine(nic.filter!, 60) })}</p>
        : options.filtersUnavailable === undefined
        ? <FilterFields options={options} errorOf={errorOf} nic={nic} />
        : (
          <p class="text-muted wide">
            {t("devices.filters_unavailable", { reason: options.filtersUnavailable })}
          </p>
        )}
      {nic === undefined && (
        <>
          <WhereField running={running} persistent={persistent} />
          <CheckField label={t("devices.field_link")} name="plugged" value="yes" defaultChecked wide />
        </>
      )}
      <div class="wide">
        <NicLimitFields {...(nic && { limits: asNext(nic) })} errorOf={errorOf} />
      </div>
    </div>
  );
}
