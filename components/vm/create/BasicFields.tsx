import type { OperatingSystem } from "../../../lib/contract/mod.ts";
import { formatBytes, formatMemory } from "../../../lib/text/quantity.ts";
import { CheckField, type FieldChoice, SelectField, TextField } from "../../kit/Field.tsx";
import { api } from "../../../lib/client/api.ts";
import { hasOwnBridge, networksNotReady, USUAL_NETWORK } from "../../../lib/host/ready.ts";
import { ready } from "../../../lib/i18n/en/ready.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { networkHref } from "../../../lib/network/network_href.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { ActionLink } from "../../kit/ActionLink.tsx";
import { Flash } from "../../kit/Flash.tsx";
import { doStep } from "./do_step.ts";
import { Panel } from "../../kit/Panel.tsx";
import { type CreateProps, t, typedNumber, undefinedIfEmpty } from "./props.ts";

const readyTexts = textsOf(ready);

/** Networks, bridges, and none. A bridge's value begins with a slash: no network's name does. */
export function networkChoices({ networks, bridges }: CreateProps["options"]): FieldChoice[] {
  return [
    ...networks.map(({ name, active, forward }) => ({
      value: name,
      label: active ? `${name} (${forward})` : `${name} (${forward}, ${t("create.network_off")})`,
    })),
    ...bridges.map((bridge) => ({ value: `/${bridge}`, label: t("create.bridge", { bridge }) })),
  ];
}

/** The pools a new disk may go into. */
export function poolChoices({ pools, pool }: CreateProps["options"]): FieldChoice[] {
  const known = pools.map(({ name, active, availableBytes }) => ({
    value: name,
    label: availableBytes === null
      ? name
      : t("create.pool_free", { pool: name, free: formatBytes(availableBytes) }),
    unavailable: active ? undefined : t("create.pool_off"),
  }));
  return pool === null ? [{ value: "", label: t("create.pool_default") }, ...known] : known;
}

function SystemOptions({ systems, chosen }: { systems: readonly OperatingSystem[]; chosen: string }) {
  const families = [
    { type: "linux", label: t("create.family_linux") },
    { type: "windows", label: t("create.family_windows") },
    { type: "other", label: t("create.family_other") },
  ] as const;
  return (
    <>
      <option value="" selected={chosen === ""}>{t("create.system_other")}</option>
      {families.map(({ type, label }) => (
        <optgroup key={type} label={label}>
          {systems.filter(({ osType }) => osType === type).map(({ id, name }) => (
            <option key={id} value={id} selected={id === chosen}>{name}</option>
          ))}
        </optgroup>
      ))}
    </>
  );
}

/** Name, system, size: what nearly everyone decides. */
export function BasicFields(props: CreateProps & { systems: readonly OperatingSystem[] }) {
  const { model, options, bounds, systems } = props;
  const wish = model.wish.value;
  const resolved = model.resolved.value;
  const [disk] = model.disks.value;
  const [nic] = model.nics.value;
  return (
    <Panel title={t("create.basics")}>
      <div class="form-grid">
        <TextField
          name="name"
          label={t("create.name")}
          required
          maxLength={64}
          value={wish.name ?? ""}
          error={model.error("name")}
          onInput={({ currentTarget: { value } }) => model.name(value)}
        />
        <SystemField {...props} systems={systems} />
        <TextField
          name="cpuCount"
          label={t("create.cpus")}
          type="number"
          min={bounds.cpuCount.minimum}
          max={bounds.cpuCount.maximum}
          value={wish.cpuCount ?? resolved?.cpuCount ?? ""}
          hint={model.warning("cpuCount") ?? t("create.cpus_hint", { n: options.host.cpus })}
          error={model.error("cpuCount")}
          onInput={({ currentTarget: { value } }) => model.set({ cpuCount: typedNumber(value) })}
        />
        <TextField
          name="memoryMb"
          label={t("create.memory")}
          type="number"
          min={bounds.memoryMb.minimum}
          step={128}
          suffix="MiB"
          value={wish.memoryMb ?? resolved?.memoryMb ?? ""}
          hint={model.warning("memoryMb") ??
            t("create.memory_hint", { size: formatMemory(options.host.memoryMb) })}
          error={model.error("memoryMb")}
          onInput={({ currentTarget: { value } }) => model.set({ memoryMb: typedNumber(value) })}
        />
        {disk !== undefined && disk.path === undefined && (
          <>
            <TextField
              name="diskSizeGb"
              label={t("create.disk_size")}
              type="number"
              min={bounds.diskSizeGb.minimum}
              max={bounds.diskSizeGb.maximum}
              suffix="GiB"
              value={disk.sizeGb ?? ""}
              hint={model.warning("disks.0.sizeGb")}
              error={model.error("disks.0.sizeGb") ?? model.error("disks.0")}
              onInput={({ currentTarget: { value } }) =>
                model.changeDisk(0, withSize(disk, typedNumber(value)))}
            />
            <SelectField
              name="pool"
              label={t("create.pool")}
              value={disk.pool ?? options.pool ?? ""}
              choices={poolChoices(options)}
              error={model.error("disks.0.pool")}
              onChange={({ currentTarget: { value } }) => model.changeDisk(0, { ...disk, pool: value })}
            />
          </>
        )}
        <SelectField
          name="network"
          label={t("create.network")}
          value={nic === undefined ? "" : nic.bridge !== undefined ? `/${nic.bridge}` : nic.network ?? ""}
          choices={[...networkChoices(options), { value: "", label: t("create.network_none") }]}
          hint={model.warning("nics.0.network")}
          error={model.error("nics.0.network") ?? model.error("nics.0.bridge")}
          onChange={({ currentTarget: { value } }) => {
            const rest = model.nics.value.slice(1);
            model.set({ nics: value === "" ? rest : [{ ...nic, ...pluggedInto(value) }, ...rest] });
          }}
        />
        <NoNetwork {...props} />
        <CheckField
          wide
          name="start"
          value="yes"
          label={t("create.start")}
          hint={t("create.start_hint")}
          checked={wish.start ?? false}
          onChange={({ currentTarget: { checked } }) => model.set({ start: checked })}
        />
      </div>
    </Panel>
  );
}

/** Steps for a host without a running network for the VM. */
function NoNetwork({ options: { networks, bridges }, allowed }: CreateProps) {
  const lack = networksNotReady(networks.map((each) => ({ ...each, autostart: true, persistent: true })), {
    hasBridges: hasOwnBridge(bridges),
  });
  if (lack === null) return null;
  const start = allowed.startNetwork ? networks.slice(0, 3) : [];
  const makes = networks.length === 0 && allowed.createNetwork;
  return (
    <Flash
      tone="warn"
      class="form-field wide"
      title={lack.sentence}
      actions={(makes || start.length > 0) && (
        <>
          {start.map(({ name }) => (
            <ActionLink
              key={name}
              class="button"
              href={networkHref(name)}
              enabled
              onAct={() => doStep(() => api.startNetwork({ name }))}
            >
              {readyTexts.t("ready.start_network", { name: oneLine(name, 40) })}
            </ActionLink>
          ))}
          {makes && (
            <ActionLink
              class="button"
              href="/networks/new"
              enabled
              onAct={() => doStep(createUsualNetwork)}
            >
              {readyTexts.t("ready.create_network", USUAL_NETWORK)}
            </ActionLink>
          )}
        </>
      )}
    />
  );
}

/** Creates the network that every tool for libvirt uses, with a subnet nothing here uses. */
async function createUsualNetwork(): Promise<void> {
  const { freeIpv4 } = await api.getNetworkOptions();
  await api.createNetwork({ ...USUAL_NETWORK, ...(freeIpv4 !== null && { ipv4: { address: freeIpv4 } }) });
}

function withSize<D extends { sizeGb?: number }>({ sizeGb: _, ...disk }: D, sizeGb: number | undefined) {
  return sizeGb === undefined ? disk : { ...disk, sizeGb };
}

/** Network or bridge of a chosen entry of `networkChoices`. */
export function pluggedInto(value: string): { network: string } | { bridge: string; network?: never } {
  return value.startsWith("/") ? { bridge: value.slice(1) } : { network: value };
}

function SystemField({ model, systems }: CreateProps & { systems: readonly OperatingSystem[] }) {
  const chosen = model.wish.value.osVariant ?? "";
  const id = "create-system";
  return (
    <div class="form-field">
      <label for={id}>{t("create.system")}</label>
      <select
        class="input"
        id={id}
        name="osVariant"
        aria-describedby={`${id}-hint`}
        onChange={({ currentTarget: { value } }) => model.chooseSystem(undefinedIfEmpty(value))}
      >
        <SystemOptions systems={systems} chosen={chosen} />
      </select>
      <p class="form-hint" id={`${id}-hint`}>{model.warning("osVariant") ?? t("create.system_hint")}</p>
    </div>
  );
}
