import { ANTI_SPOOFING } from "../../../lib/contract/choices.ts";
import type { DeviceOptions, VmNic } from "../../../lib/contract/mod.ts";
import { asNext } from "../../../lib/vm/device_next.ts";
import { nicTexts } from "../../../lib/text/nic_texts.ts";
import { nameBefore } from "../../../lib/text/form_names.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { nics as texts } from "../../../lib/i18n/en/nics.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import type { ErrorOf } from "./DeviceForm.tsx";
import { ContractField, type ContractForm } from "../../kit/ContractField.tsx";
import { CheckField, type FieldChoice, SelectField } from "../../kit/Field.tsx";
import { ATTACH_NIC, type NicCommand, UPDATE_NIC } from "./nic_fields.const.ts";
import { NicLimitFields } from "./LimitFields.tsx";
import { WhereField } from "./WhereField.tsx";

const { t } = textsOf(texts);

/** Value of a network interface's connection: the field and the name. */
const plugTo = (type: string, name: string) => new URLSearchParams({ [type]: name }).toString();
const plugOf = ({ type, network }: Pick<VmNic, "type" | "network">) => plugTo(type, network);

/** Everything a card can be plugged into; what it is plugged into now, whatever that is. */
function plugs(options: DeviceOptions, nic: VmNic | undefined): FieldChoice[] {
  const found: FieldChoice[] = [
    ...options.networks.map(({ name, active }) => ({
      value: plugTo("network", name),
      label: t("devices.source_network", { name: oneLine(name, 60) }),
      unavailable: active ? undefined : t("devices.not_active"),
    })),
    ...options.hostInterfaces.filter(({ bridge }) => bridge).map(({ name }) => ({
      value: plugTo("bridge", name),
      label: t("devices.source_bridge", { name: oneLine(name, 60) }),
    })),
    ...options.hostInterfaces.filter(({ bridge }) => !bridge).map(({ name }) => ({
      value: plugTo("direct", name),
      label: t("devices.source_direct", { name: oneLine(name, 60) }),
    })),
    ...options.userNetworking.map(({ backend, unavailable }) => ({
      value: plugTo("user", backend),
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

/** Props of {@link NicFields}. */
export interface NicFieldsProps {
  options: DeviceOptions;
  errorOf: ErrorOf;
  running: boolean;
  persistent: boolean;
  /** The card to change; absent for a new one. */
  nic?: VmNic;
}

type NicForm = ContractForm<NicCommand>;

/** Choice of packets that the guest may send: anti-spoofing by one checkbox, or any filter there is. */
function FilterFields({ form, options, nic }: {
  form: NicForm;
  options: DeviceOptions;
  nic: VmNic | undefined;
}) {
  const now = nic?.filter ?? "";
  const others = [...new Set([...now === "" ? [] : [now], ...options.filters])]
    .filter((name) => name !== ANTI_SPOOFING);
  return (
    <>
      {options.filters.includes(ANTI_SPOOFING) && (
        <CheckField
          label={t("devices.field_anti_spoofing")}
          hint={t("devices.anti_spoofing_hint")}
          name=":antiSpoofing"
          value={`filter=${ANTI_SPOOFING}`}
          defaultChecked={now === ANTI_SPOOFING}
          wide
        />
      )}
      <ContractField
        form={form}
        field="filter"
        label={t("devices.field_other_filter")}
        value={now === ANTI_SPOOFING ? "" : now}
        before={now}
        choices={[
          { value: "", label: t("devices.none") },
          ...others.map((value) => ({ value, label: oneLine(value, 60) })),
        ]}
      />
      <ContractField form={form} field="filterAddresses" value={nic?.filterAddresses.join(" ")} />
    </>
  );
}

/** Everything about a network card. */
export function NicFields({ options, errorOf, running, persistent, nic }: NicFieldsProps) {
  const first = options.networks.find(({ active }) => active)?.name;
  const source = nic ? plugOf(nic) : first === undefined ? "" : plugTo("network", first);
  const next = (field: string) => nic?.pending.find((each) => each.field === field)?.next ?? undefined;
  const isChange = nic !== undefined, of = isChange ? UPDATE_NIC : ATTACH_NIC;
  const form: NicForm = { of, texts: nicTexts, errorOf };
  // The server refuses these to who may not loosen filters: they are shown, and not offered.
  const isLocked = nic?.filter !== undefined && !options.mayLoosenFilters;
  return (
    <div class="device-grid">
      {nic && running && <p class="text-muted wide">{t("devices.nic_running")}</p>}
      <SelectField
        label={t("devices.field_source")}
        name=":plug"
        value={source}
        wide
        error={errorOf(":plug") ?? errorOf("network") ?? errorOf("bridge") ?? errorOf("direct")}
        choices={plugs(options, nic)}
      />
      {nic && <input type="hidden" name={nameBefore(":plug")} value={source} />}
      <ContractField
        form={form}
        field="model"
        value={next("model") ?? nic?.model ?? "virtio"}
        isChange={isChange}
      />
      {!isLocked && (nic === undefined
        ? <ContractField form={{ ...form, of: ATTACH_NIC }} field="mac" placeholder="52:54:00:…" />
        : (
          <ContractField
            form={{ ...form, of: UPDATE_NIC }}
            field="newMac"
            value={next("mac") ?? nic.mac}
            isChange
          />
        ))}
      {isLocked
        ? <p class="text-muted wide">{t("devices.filter_locked", { filter: oneLine(nic.filter!, 60) })}</p>
        : options.filtersUnavailable === undefined
        ? <FilterFields form={form} options={options} nic={nic} />
        : (
          <p class="text-muted wide">
            {t("devices.filters_unavailable", { reason: options.filtersUnavailable })}
          </p>
        )}
      {nic === undefined && (
        <>
          <WhereField running={running} persistent={persistent} />
          <ContractField form={form} field="linkUp" value />
        </>
      )}
      <div class="wide">
        <NicLimitFields form={form} {...(nic && { limits: asNext(nic) })} />
      </div>
    </div>
  );
}
