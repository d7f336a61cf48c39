import { leave } from "../lib/client/toasts.ts";
import type { Signal } from "@preact/signals";
import { ActionForm } from "../components/vm/ActionForm.tsx";
import { Flash } from "../components/kit/Flash.tsx";
import { TruncatedText } from "../components/kit/TruncatedText.tsx";
import { HangNote } from "../components/vm/HangNote.tsx";
import { Notes } from "../components/vm/Notes.tsx";
import { PowerRequestNote } from "../components/vm/PowerRequestNote.tsx";
import { Uptime } from "../components/vm/Uptime.tsx";
import { VmStateBadge } from "../components/vm/VmStateBadge.tsx";
import { live } from "../lib/client/live.ts";
import { useLiveVm } from "../lib/client/use_live_vm.ts";
import type { VM } from "../lib/contract/mod.ts";
import { osOf } from "../lib/vm/os/names.ts";
import { t } from "../lib/i18n/mod.ts";

/** Props of {@link VmHeader}. */
export interface VmHeaderProps {
  vm: Signal<VM>;
  connected: boolean;
  /** Whether they may operate this VM: its header says so otherwise. */
  mayOperate: boolean;
  /** When the page was rendered. */
  now: number;
  /** Path of the page below the VM's. */
  at: string;
}

/** A VM's name, state and actions, and what about it needs a person. */
export default function VmHeader({ vm: signal, connected, mayOperate, now, at }: VmHeaderProps) {
  const isGone = useLiveVm(signal).value;
  const vm = signal.value;
  const enabled = !isGone && live.controls(connected);
  const os = osOf(vm);
  return (
    <>
      <header class="page-head vm-head">
        <h1>
          <TruncatedText text={vm.name} />
        </h1>
        <span role="status">
          <VmStateBadge vm={vm} now={now} />
        </span>
        {!mayOperate && <span class="tag" title={t("vm.view_only_what")}>{t("vm.view_only")}</span>}
        {vm.virtType === "qemu" && <span class="tag" title={t("note.emulated")}>{t("vm.emulated")}</span>}
        <span class="count">
          {[vm.title, os].filter((part) => part).map((part) => (
            <TruncatedText key={part} text={part!} longest={60} />
          ))}
          {vm.startedAt !== undefined && (
            <span>
              {t("vm.up")} <Uptime vm={vm} now={now} />
            </span>
          )}
        </span>
        <ActionForm
          vm={vm}
          enabled={enabled}
          toConsole={at !== "/console"}
          onDone={(action, done) => action === "delete" && leave("/vms", { word: "delete_vm", ...done })}
        />
      </header>
      {!isGone && <HangNote vm={vm} now={now} enabled={enabled} />}
      {!isGone && vm.responsive && <PowerRequestNote vm={vm} now={now} enabled={enabled} />}
      {isGone
        ? <Flash tone="bad" icon="trash" title={t("vm.gone")}>{t("vm.gone_what")}</Flash>
        : <Notes vm={vm} enabled={enabled} />}
    </>
  );
}
