import { based } from "../lib/client/base.ts";
import type { Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ActionForm } from "../components/ActionForm.tsx";
import { Banner } from "../components/Banner.tsx";
import { Name } from "../components/Name.tsx";
import { Notes } from "../components/Notes.tsx";
import { Uptime } from "../components/Uptime.tsx";
import { VmState } from "../components/VmState.tsx";
import { live } from "../lib/client/live.ts";
import { showCurrentTab } from "../lib/client/tabs.ts";
import { useLiveVm } from "../lib/client/use_live_vm.ts";
import type { VM } from "../lib/contract/mod.ts";
import { osOf } from "../lib/format/os.ts";
import { t } from "../lib/i18n/mod.ts";

/** Props of {@link VmHeader}. */
export interface VmHeaderProps {
  vm: Signal<VM>;
  connected: boolean;
  /** When the page was rendered. */
  now: number;
}

/** A machine's name, state and actions, and what about it needs a person. */
export default function VmHeader({ vm: signal, connected, now }: VmHeaderProps) {
  const isGone = useLiveVm(signal).value;
  const vm = signal.value;
  useEffect(showCurrentTab, []);
  const enabled = !isGone &&
    live.controls(connected);
  const os = osOf(vm);
  return (
    <>
      <header class="page-head vm-head">
        <h1>
          <Name text={vm.name} />
        </h1>
        <span role="status">
          <VmState vm={vm} />
        </span>
        <span class="count">
          {[vm.title, os].filter((part) => part).map((part) => <Name key={part} text={part!} longest={60} />)}
          {vm.startedAt !== undefined && (
            <span>
              {t("vm.up")} <Uptime vm={vm} now={now} />
            </span>
          )}
        </span>
        <ActionForm
          vm={vm}
          enabled={enabled}
          onDone={(action) => action === "delete" && location.assign(based("/vms?done=delete"))}
        />
      </header>
      {isGone
        ? <Banner tone="bad" icon="trash" title={t("vm.gone")} text={t("vm.gone_what")} />
        : <Notes vm={vm} />}
    </>
  );
}
