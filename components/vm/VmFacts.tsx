import type { VM } from "../../lib/contract/mod.ts";
import { formatMemory } from "../../lib/text/quantity.ts";
import { offWord } from "../../lib/vm/state.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatMoment } from "../../lib/text/time.ts";
import { number, type PlainKey, t } from "../../lib/i18n/mod.ts";
import { CopyButton } from "../kit/CopyButton.tsx";
import { Fact } from "../kit/Fact.tsx";
import { Icon } from "../kit/Icon.tsx";

const AGENT: Readonly<Record<VM["guestAgent"], PlainKey>> = {
  connected: "agent.connected",
  silent: "agent.silent",
  disconnected: "agent.disconnected",
  "not configured": "agent.none",
};

const FIRMWARE: Readonly<Record<VM["firmware"], PlainKey>> = {
  bios: "firmware.bios",
  uefi: "firmware.uefi",
  "uefi-secure": "firmware.secure",
};

const VIRTUALISATION: Readonly<Record<string, PlainKey>> = {
  kvm: "virt.kvm",
  qemu: "virt.qemu",
  test: "virt.test",
};

/** A value to copy, such as an address. */
function Copied({ text, what }: { text: string; what: string }) {
  return (
    <span class="copied">
      <span class="mono ellipsis" title={oneLine(text)}>{oneLine(text)}</span>
      <CopyButton text={text} what={what} />
    </span>
  );
}

function Addresses({ vm }: { vm: VM }) {
  const addresses = vm.networkInterfaces.flatMap(({ ipAddresses, ipAddress }) =>
    ipAddresses.length > 0
      ? ipAddresses.map((one) => one.replace(/\/\d+$/, ""))
      : ipAddress
      ? [ipAddress]
      : []
  );
  if (addresses.length === 0) {
    return <span class="text-muted">{t(offWord(vm) ?? "fact.address_unknown")}</span>;
  }
  return <>{[...new Set(addresses)].map((one) => <Copied key={one} text={one} what={one} />)}</>;
}

/** A guest that does not run cannot answer: nothing is wrong with its agent. */
function AgentFact({ vm }: { vm: VM }) {
  const off = offWord(vm);
  if (vm.guestAgent === "disconnected" && off !== undefined) {
    return <span class="text-muted">{t(off)}</span>;
  }
  const isConnected = vm.guestAgent === "connected";
  return (
    <span class="state" data-tone={isConnected ? "ok" : "off"}>
      <Icon name={isConnected ? "check" : "unplug"} />
      <span class="state-word">{t(AGENT[vm.guestAgent])}</span>
    </span>
  );
}

function GraphicsFact({ vm }: { vm: VM }) {
  if (vm.graphics.length === 0) return <span class="text-muted">{t("fact.no_graphics")}</span>;
  return (
    <>
      {vm.graphics.map(({ type, port, listen, socket }, index) => {
        const where = socket ?? (port === undefined ? undefined : `${listen || "127.0.0.1"}:${port}`);
        return (
          <span key={index} class="line">
            <span>{type.toUpperCase()}</span>
            {where === undefined
              ? <span class="text-muted">{t("fact.graphics_off")}</span>
              : <Copied text={where} what={t("fact.graphics")} />}
          </span>
        );
      })}
    </>
  );
}

/** Facts of a VM: addresses, hardware, ids. */
export function VmFacts({ vm }: { vm: VM }) {
  const virtualisation = VIRTUALISATION[vm.virtType];
  return (
    <dl class="description-list">
      <Fact label={t("fact.addresses")}>
        <Addresses vm={vm} />
      </Fact>
      <Fact label={t("fact.agent")}>
        <AgentFact vm={vm} />
      </Fact>
      <Fact label={t("fact.cpu")}>
        {number(vm.cpuCount)}
        {vm.maxCpuCount > vm.cpuCount && <small>{t("fact.up_to", { max: number(vm.maxCpuCount) })}</small>}
      </Fact>
      <Fact label={t("fact.memory")}>
        {formatMemory(vm.memoryMb)}
        {vm.maxMemoryMb > vm.memoryMb && (
          <small>{t("fact.up_to", { max: formatMemory(vm.maxMemoryMb) })}</small>
        )}
      </Fact>
      <Fact label={t("fact.virt")}>{virtualisation ? t(virtualisation) : oneLine(vm.virtType, 40)}</Fact>
      <Fact label={t("fact.firmware")}>{t(FIRMWARE[vm.firmware])}</Fact>
      {vm.machine && (
        <Fact label={t("fact.machine")}>
          <span class="mono">{oneLine(vm.machine, 60)}</span>{" "}
          {vm.arch && <small>{oneLine(vm.arch, 20)}</small>}
        </Fact>
      )}
      <Fact label={t("fact.graphics")}>
        <GraphicsFact vm={vm} />
      </Fact>
      {vm.startedAt !== undefined && <Fact label={t("fact.started")}>{formatMoment(vm.startedAt)}</Fact>}
      {vm.createdAt !== undefined && <Fact label={t("fact.created")}>{formatMoment(vm.createdAt)}</Fact>}
      <Fact label={t("fact.uuid")}>
        <Copied text={vm.id} what={t("fact.uuid")} />
      </Fact>
    </dl>
  );
}
