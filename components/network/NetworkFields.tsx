import type { NetworkMode, NetworkOptions, PlainSetting } from "../../lib/contract/mod.ts";
import { networks as texts } from "../../lib/i18n/en/networks.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { networkTexts } from "../../lib/network/network_texts.ts";
import { CREATE_NETWORK, PLAIN_SETTINGS as PLAIN } from "../../lib/network/settings.const.ts";
import { ContractFields } from "../kit/ContractField.tsx";
import { CheckField, Field, SelectField, TextField } from "../kit/Field.tsx";
import { Panel } from "../kit/Panel.tsx";

const { t } = textsOf(texts);

/** Values of the form: field → text; a checkbox that is not ticked has none. */
export type NetworkValues = Readonly<Record<string, string>>;

/** Props of {@link NetworkFields}. */
export interface NetworkFieldsProps {
  mode: NetworkMode;
  options: NetworkOptions;
  values: NetworkValues;
  /** Error of a field of the contract, or of one below it. */
  errorOf: (field: string) => string | undefined;
}

/** Modes with addresses and names of their own. */
const ADDRESSED: readonly NetworkMode[] = ["nat", "routed", "isolated", "open"];

const MACVTAP: readonly { value: string; text: PlainKeyOf<typeof texts> }[] = [
  { value: "bridge", text: "networks.macvtap_bridge" },
  { value: "private", text: "networks.macvtap_private" },
  { value: "vepa", text: "networks.macvtap_vepa" },
  { value: "passthrough", text: "networks.macvtap_passthrough" },
];

function Basics({ mode, options, values, errorOf }: NetworkFieldsProps) {
  const { devices } = options;
  const chosen = (fits: (device: typeof devices[number]) => boolean, first: string) => [
    { value: "", label: first },
    ...devices.filter(fits).map(({ name }) => ({ value: name, label: name })),
  ];
  return (
    <Panel title={t("networks.basics")}>
      <div class="form-grid">
        <TextField
          label={t("networks.name")}
          name="name"
          required
          maxLength={50}
          value={values.name ?? ""}
          hint={t("networks.name_hint")}
          error={errorOf("name")}
        />
        {ADDRESSED.includes(mode) && (
          <TextField
            label={t("networks.bridge_field")}
            name="bridge"
            maxLength={15}
            value={values.bridge ?? ""}
            hint={t("networks.bridge_own_hint")}
            error={errorOf("bridge")}
          />
        )}
        {mode === "bridge" && (
          <SelectField
            label={t("networks.bridge_field")}
            name="bridge"
            required
            choices={chosen(({ bridge }) => bridge, t("networks.choose"))}
            value={values.bridge ?? ""}
            error={errorOf("bridge")}
          />
        )}
        {mode === "openvswitch" && (
          <TextField
            label={t("networks.bridge_field")}
            name="bridge"
            required
            maxLength={15}
            value={values.bridge ?? ""}
            error={errorOf("bridge")}
          />
        )}
        {(mode === "nat" || mode === "routed") && (
          <SelectField
            label={t("networks.way_out")}
            name="devices"
            choices={chosen(() => true, t("networks.way_out_any"))}
            value={values.devices ?? ""}
            error={errorOf("devices")}
          />
        )}
        {mode === "sriov" && (
          <SelectField
            label={t("networks.devices_field")}
            name="devices"
            required
            choices={chosen(({ sriov }) => sriov, t("networks.choose"))}
            value={values.devices ?? ""}
            error={errorOf("devices")}
          />
        )}
        {mode === "macvtap" && (
          <>
            <TextField
              label={t("networks.devices_field")}
              name="devices"
              required
              value={values.devices ?? ""}
              hint={t("networks.devices_hint")}
              error={errorOf("devices")}
            />
            <SelectField
              label={t("networks.macvtap_mode")}
              name="macvtapMode"
              choices={MACVTAP.map(({ value, text }) => ({ value, label: t(text) }))}
              value={values.macvtapMode ?? "bridge"}
              error={errorOf("macvtapMode")}
            />
          </>
        )}
      </div>
    </Panel>
  );
}

function Subnet(
  { family, mode, options, values, errorOf }: NetworkFieldsProps & { family: "ipv4" | "ipv6" },
) {
  const isV4 = family === "ipv4";
  const field = (name: string) => `${family}.${name}`;
  const example = (isV4 ? options.freeIpv4 : options.freeIpv6) ?? "10.0.0.1/24";
  const rangeError = errorOf(field("ranges"));
  return (
    <Panel title={t(isV4 ? "networks.ipv4" : "networks.ipv6")}>
      <div class="form-grid">
        <TextField
          label={t("networks.address")}
          name={field("address")}
          maxLength={49}
          value={values[field("address")] ?? ""}
          hint={t("networks.address_hint", { example })}
          error={errorOf(field("address")) ?? errorOf(family)}
        />
        <TextField
          label={t("networks.range_start")}
          name={field("start")}
          maxLength={45}
          value={values[field("start")] ?? ""}
          hint={t(isV4 ? "networks.range_hint" : "networks.range_v6_hint")}
          error={rangeError}
        />
        <TextField
          label={t("networks.range_end")}
          name={field("end")}
          maxLength={45}
          value={values[field("end")] ?? ""}
        />
        {isV4 && (
          <Area
            label={t("networks.statics")}
            name={field("hosts")}
            hint={t("networks.statics_hint")}
            values={values}
            error={errorOf(field("hosts"))}
          />
        )}
        {!isV4 && mode === "nat" && (
          <CheckField
            wide
            label={t("networks.ipv6_nat")}
            name="ipv6Nat"
            checked={values.ipv6Nat !== undefined}
            error={errorOf("ipv6Nat")}
          />
        )}
      </div>
    </Panel>
  );
}

/** A field of several lines. */
function Area({ label, name, hint, values, error }: {
  label: string;
  name: string;
  hint: string;
  values: NetworkValues;
  error: string | undefined;
}) {
  return (
    <Field
      wide
      label={label}
      hint={hint}
      error={error}
      control={(ties) => (
        <textarea
          class="input xml-input"
          name={name}
          rows={3}
          spellcheck={false}
          value={values[name] ?? ""}
          {...ties}
        />
      )}
    />
  );
}

function Vlans({ mode, values, errorOf }: NetworkFieldsProps) {
  return (
    <Panel title={t("networks.vlans")}>
      <div class="form-grid">
        <TextField
          label={t("networks.vlan_tags")}
          name="vlan.tags"
          value={values["vlan.tags"] ?? ""}
          hint={t("networks.vlan_hint")}
          error={errorOf("vlan")}
        />
        {mode === "openvswitch" && (
          <>
            <TextField
              label={t("networks.vlan_native")}
              name="vlan.native"
              inputMode="numeric"
              value={values["vlan.native"] ?? ""}
              hint={t("networks.vlan_native_hint")}
            />
            <CheckField
              wide
              label={t("networks.trunk")}
              name="vlan.trunk"
              checked={values["vlan.trunk"] !== undefined}
            />
          </>
        )}
      </div>
    </Panel>
  );
}

/** Settings that are on or off stand below those that are typed. */
const isSwitch = (setting: PlainSetting) => CREATE_NETWORK.fields[setting].kind === "boolean";

/** Fields that can be changed in an existing network as well: names, DNS, MTU, limits. */
export function NetworkSettingsFields(
  { mode, values, errorOf }: Omit<NetworkFieldsProps, "options" | "mode"> & {
    mode: string;
  },
) {
  const line = (name: string, label: string, hint?: string, suffix?: string) => (
    <TextField
      label={label}
      name={name}
      value={values[name] ?? ""}
      error={errorOf(name)}
      {...(hint !== undefined && { hint })}
      {...(suffix !== undefined && { suffix, inputMode: "numeric" })}
    />
  );
  const isAddressed = ADDRESSED.some((each) => each === mode);
  const form = { of: CREATE_NETWORK, texts: networkTexts, errorOf };
  return (
    <div class="form-grid">
      {isAddressed && (
        <>
          {line("domain", networkTexts.label("domain"))}
          {line("forwarders", networkTexts.label("forwarders"), t("networks.forwarders_hint"))}
          <ContractFields
            form={form}
            fields={PLAIN.filter((each) => !isSwitch(each))}
            values={values}
            isChange
          />
        </>
      )}
      {line("inbound", t("networks.limit_in"), undefined, t("networks.kib"))}
      {line("outbound", t("networks.limit_out"), undefined, t("networks.kib"))}
      {isAddressed && (
        <>
          <ContractFields form={form} fields={PLAIN.filter(isSwitch)} values={values} isChange />
          <CheckField
            wide
            label={networkTexts.label("localDomain")}
            name="localDomain"
            checked={values.localDomain !== undefined}
            error={errorOf("localDomain")}
          />
          <Area
            label={t("networks.dns_field")}
            name="dnsHosts"
            hint={t("networks.dns_hint")}
            values={values}
            error={errorOf("dnsHosts")}
          />
        </>
      )}
    </div>
  );
}

/** The fields of a new network: those that its mode has. */
export function NetworkFields(props: NetworkFieldsProps) {
  const { mode, values } = props;
  const isAddressed = ADDRESSED.includes(mode);
  return (
    <>
      <Basics {...props} />
      {isAddressed && <Subnet {...props} family="ipv4" />}
      {isAddressed && <Subnet {...props} family="ipv6" />}
      {(mode === "openvswitch" || mode === "sriov") && <Vlans {...props} />}
      {mode !== "macvtap" && mode !== "sriov" && (
        <details class="panel fold">
          <summary class="panel-head">
            <h2>{t("networks.more")}</h2>
          </summary>
          <NetworkSettingsFields {...props} />
        </details>
      )}
      <div class="panel form-grid">
        <CheckField label={t("networks.start_now")} name="start" checked={values.start !== undefined} />
        <CheckField
          label={t("networks.start_host")}
          name="autostart"
          checked={values.autostart !== undefined}
        />
      </div>
    </>
  );
}
